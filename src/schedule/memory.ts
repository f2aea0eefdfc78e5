/** Gives every value of a plan a slot: memory that another value may have had before, and a later one gets after it. */

const CLASSES_PER_OCTAVE = 8;
const MIN_BYTES = 256;

/** Slot sizes come in classes, an eighth of an octave apart, so that plans can share them. */
export function slotClass(byteLength: number): number {
  if (byteLength <= MIN_BYTES) return MIN_BYTES;
  const step = 2 ** (Math.floor(Math.log2(byteLength - 1)) + 1) / (2 * CLASSES_PER_OCTAVE);
  const grain = Math.max(MIN_BYTES, step);
  return Math.ceil(byteLength / grain) * grain;
}

export class SlotPlanner {
  /** byteLength of each slot. */
  readonly slots: number[] = [];
  private readonly free: number[] = [];

  /** A slot of at least `byteLength`. */
  take(byteLength: number): number {
    const size = slotClass(byteLength);
    const index = this.free.findIndex((slot) => this.slots[slot] === size);
    if (index >= 0) return this.free.splice(index, 1)[0]!;
    this.slots.push(size);
    return this.slots.length - 1;
  }

  give(slot: number): void {
    this.free.push(slot);
  }
}
