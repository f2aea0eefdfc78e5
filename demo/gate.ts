/** Lets a loop through, or holds it while the user pauses. */

export class Gate {
  private whenOpen: Promise<void> | null = null;
  private openIt = (): void => undefined;
  /** How many may pass while it is closed. */
  private lets = 0;

  get isOpen(): boolean {
    return this.whenOpen === null;
  }

  close(): void {
    this.lets = 0;
    this.whenOpen ??= this.nextOpening();
  }

  open(): void {
    this.lets = 0;
    this.whenOpen = null;
    this.openIt();
  }

  /** Lets one more through, and stays closed behind it. */
  openOnce(): void {
    if (!this.whenOpen) return;
    this.lets++;
    this.openIt();
    this.whenOpen = this.nextOpening();
  }

  /** Resolves once the gate is open, or lets one through. */
  async passed(): Promise<void> {
    while (this.whenOpen && this.lets === 0) await this.whenOpen;
    if (this.whenOpen) this.lets--;
  }

  private nextOpening(): Promise<void> {
    return new Promise((resolve) => (this.openIt = resolve));
  }
}

/** Resolves after the messages that wait by now. Unlike a timer it keeps its pace in a tab nobody looks at. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
