/** Copying, from a button that says so. */

/** How long a button says that it has copied. */
const SAID_MS = 2000;

/**
 * Copies a text.
 *
 * @param label what the button says otherwise
 * @returns whether the browser lets the page copy
 */
export async function copyFrom(button: HTMLElement, label: string, text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return false;
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), SAID_MS);
  return true;
}
