/**
 * Set-up file of every project: a test that warns or reports an error on the console fails,
 * unless it said so beforehand with `expectConsole`. Messages from loading a file count against its first test.
 */
import { afterAll, afterEach, expect } from "vitest";

const messages: string[] = [];
const expected: RegExp[] = [];

// Replaced here, not in a hook, so that what a module prints while it loads is seen too.
for (const level of ["warn", "error"] as const) {
  console[level] = (...parts: unknown[]) => {
    messages.push(`${level}: ${parts.map(String).join(" ")}`);
  };
}

function check(): void {
  const printed = messages.splice(0);
  const announced = expected.splice(0);
  const unexpected = printed.filter((message) => !announced.some((pattern) => pattern.test(message)));
  expect(unexpected, "console messages that no expectConsole() announced").toEqual([]);
  const missing = announced.filter((pattern) => !printed.some((message) => pattern.test(message)));
  expect(missing, "expectConsole() patterns that no message matched").toEqual([]);
}

afterEach(check);
afterAll(check);

/**
 * Announces a warning or error that the running test will print; a test that then does not print it fails.
 *
 * @param pattern matches the level and the message: `warn: the message, its arguments joined by spaces`
 */
export function expectConsole(pattern: RegExp): void {
  expected.push(pattern);
}
