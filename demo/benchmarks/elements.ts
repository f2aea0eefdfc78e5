/** Makes elements, whose texts are texts whatever they hold. */

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  text = "",
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), { textContent: text }, properties);
}
