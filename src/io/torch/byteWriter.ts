/** Little-endian bytes that grow as they are written. */
export class ByteWriter {
  private buffer = new Uint8Array(1024);
  private view = new DataView(this.buffer.buffer);
  byteLength = 0;

  /** What has been written. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.byteLength);
  }

  u8(...values: number[]): this {
    const at = this.grow(values.length);
    this.buffer.set(values, at);
    return this;
  }

  u16(value: number): this {
    const at = this.grow(2);
    this.view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.grow(4);
    this.view.setUint32(at, value, true);
    return this;
  }

  /** A double, its highest byte first, as pickles have them. */
  f64BigEndian(value: number): this {
    const at = this.grow(8);
    this.view.setFloat64(at, value, false);
    return this;
  }

  append(bytes: Uint8Array): this {
    const at = this.grow(bytes.length);
    this.buffer.set(bytes, at);
    return this;
  }

  text(text: string): this {
    return this.append(new TextEncoder().encode(text));
  }

  /** Makes room; gives where it begins. */
  private grow(count: number): number {
    const at = this.byteLength;
    this.byteLength += count;
    if (this.byteLength > this.buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.buffer.length, this.byteLength));
      larger.set(this.buffer);
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}
