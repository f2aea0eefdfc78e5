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
    this.whenOpen ??= new Promise((resolve) => (this.openIt = resolve));
  }

  open(): void {
    this.whenOpen = null;
    this.openIt();
  }

  /** Lets one through, and stays closed behind it. */
  openOnce(): void {
    this.lets = 1;
    this.openIt();
    if (this.whenOpen) this.whenOpen = new Promise((resolve) => (this.openIt = resolve));
  }

  /** Resolves once the gate is open. */
  async passed(): Promise<void> {
    while (this.whenOpen) {
      await this.whenOpen;
      if (this.lets-- > 0) return;
      this.lets = 0;
    }
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
