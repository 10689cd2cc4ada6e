/** Parsed XML element: attributes, text, and children by local name, as xml2js returns it. */
export interface Element {
  readonly $?: Readonly<Record<string, string>>;
  readonly _?: string;
  readonly [child: string]: unknown;
}

/** Returns the children that have the local name `child`. */
export function all(element: Element | undefined, child: string): readonly Element[] {
  const found = element?.[child];
  return Array.isArray(found) ? found.map((each) => (typeof each === 'string' ? { _: each } : (each as Element))) : [];
}

/** Returns the first child that has the local name `child`. */
export function one(element: Element | undefined, child: string): Element | undefined {
  return all(element, child)[0];
}

/** Returns the text of an element without spaces around it, or an empty string. */
export function textOf(element: Element | undefined): string {
  return element?._?.trim() ?? '';
}
