/**
 * Scalars that a step leaves behind: losses and accuracies that somebody may read later, or never. They lie in one buffer
 * that is written round and round, so that a loop which never reads grows nothing.
 */

import { StaleTensorError } from "../errors";
import type { DeviceStorage } from "../graph/node";
import type { BufferRange, Gpu, GpuMemory, StagedBlock } from "../gpu/gpu";

/** Scalars that can wait to be read. */
const CAPACITY = 4096;
/** Bytes from one to the next: where a binding may start. */
const PITCH = 256;

export class ScalarStorage implements DeviceStorage {
  readonly byteLength = 4;
  /** Its copy on the way to the host, in the same submit that made it. */
  staged: { readonly block: StagedBlock; readonly byteOffset: number } | null = null;
  isOverwritten = false;

  constructor(
    private readonly memory: GpuMemory,
    private readonly index: number,
    /** Number of the submit that makes it. */
    readonly writtenIn: number,
  ) {}

  /** @throws StaleTensorError once the ring has come round */
  range(byteLength: number): BufferRange {
    if (this.isOverwritten) {
      throw new StaleTensorError(
        `item: a scalar must be read before ${CAPACITY} more are made, got one that is older. Read it sooner, or call keep(tensor) before optimizer.step().`,
      );
    }
    return { buffer: this.memory, byteOffset: PITCH * this.index, byteLength };
  }

  /** The bytes, where their copy is still there; null where they must be copied again. */
  readStaged(): Promise<ArrayBuffer> | null {
    const { staged } = this;
    if (!staged?.block.valid) return null;
    return staged.block.read().then((bytes) => bytes.slice(staged.byteOffset, staged.byteOffset + 4));
  }
}

export class ScalarRing {
  private memory: GpuMemory | null = null;
  private readonly entries = new Array<ScalarStorage | undefined>(CAPACITY);
  private next = 0;

  constructor(private readonly gpu: Gpu) {}

  /** Some place in the ring, for reads of nothing. */
  get place(): BufferRange {
    return { buffer: this.buffer, byteOffset: 0, byteLength: 4 };
  }

  /** Room for one more scalar; the oldest loses its. */
  take(): ScalarStorage {
    const index = this.next;
    this.next = (index + 1) % CAPACITY;
    const oldest = this.entries[index];
    if (oldest) oldest.isOverwritten = true;
    return (this.entries[index] = new ScalarStorage(this.buffer, index, this.gpu.submitCount + 1));
  }

  private get buffer(): GpuMemory {
    if (this.memory?.fault) this.memory = null; // there was no room for it; now there may be
    return (this.memory ??= this.gpu.allocate(CAPACITY * PITCH, "scalars"));
  }
}
