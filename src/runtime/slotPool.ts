/**
 * Memory for the slots of plans. Plans run one after the other on the queue and leave nothing behind in their slots,
 * so all of them share: the i-th slot of a size is the same buffer in every plan.
 */

import type { Gpu, GpuMemory } from "../gpu/gpu";
import { slotClass } from "../schedule/memory";

export class SlotPool {
  private readonly bySize = new Map<number, GpuMemory[]>();

  constructor(private readonly gpu: Gpu) {}

  /** Memory for slots of the given sizes, in order; always the same for the same sizes. */
  take(sizes: readonly number[]): GpuMemory[] {
    const used = new Map<number, number>();
    return sizes.map((byteLength) => {
      const size = slotClass(byteLength);
      const index = used.get(size) ?? 0;
      used.set(size, index + 1);
      return this.memory(size, index);
    });
  }

  /** Gives back what none of the given plans needs. */
  trim(plans: readonly (readonly number[])[]): void {
    const needed = new Map<number, number>();
    for (const sizes of plans) {
      const counts = new Map<number, number>();
      for (const size of sizes.map(slotClass)) counts.set(size, (counts.get(size) ?? 0) + 1);
      for (const [size, count] of counts) needed.set(size, Math.max(needed.get(size) ?? 0, count));
    }
    for (const [size, list] of this.bySize)
      for (const memory of list.splice(needed.get(size) ?? 0)) this.gpu.free(memory);
  }

  private memory(size: number, index: number): GpuMemory {
    let list = this.bySize.get(size);
    if (!list) this.bySize.set(size, (list = []));
    while (list.length <= index) list.push(this.gpu.allocate(size, "slot"));
    if (list[index]!.fault) this.replace(list, index, size);
    return list[index]!;
  }

  /** There was no room for it; now there may be. */
  private replace(list: GpuMemory[], index: number, size: number): void {
    const next = this.gpu.allocate(size, "slot");
    this.gpu.free(list[index]!);
    list[index] = next;
  }
}
