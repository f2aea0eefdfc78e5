/** The gate that holds a loop: open, closed, and for one more. */

import { expect, test } from "vitest";
import { Gate, nextTask } from "../../demo/gate";

/** Counts how often a loop has passed. */
function loopAt(gate: Gate): { passed: () => Promise<number> } {
  let count = 0;
  void (async () => {
    while (count < 100) {
      await gate.passed();
      count++;
      await nextTask();
    }
  })();
  return {
    async passed() {
      for (let i = 0; i < 5; i++) await nextTask();
      return count;
    },
  };
}

test("holds while it is closed, and lets as many through as were asked for", async () => {
  const gate = new Gate();
  gate.close();
  const { passed } = loopAt(gate);
  expect([await passed(), gate.isOpen]).toEqual([0, false]);
  for (let i = 0; i < 3; i++) gate.openOnce(); // faster than the loop takes them
  expect([await passed(), gate.isOpen]).toEqual([3, false]);
  gate.openOnce();
  gate.close(); // takes back what was not used
  expect(await passed()).toBe(3);
  gate.open();
  expect(await passed()).toBeGreaterThan(3);
  gate.close();
  const stopped = await passed();
  expect(await passed()).toBe(stopped);
});

test("one that is open keeps nothing for later", async () => {
  const gate = new Gate();
  gate.openOnce();
  gate.close();
  const { passed } = loopAt(gate);
  expect(await passed()).toBe(0);
});
