/** Message of a log event in the forms that filter patterns compare. Each form is created once, for all patterns. */

export interface Subject {
  readonly text: string;
  /** Returns the JSON object or array of the message, or `undefined` if the message is not one. */
  readonly json: () => object | undefined;
  /** Returns the fields of the message. */
  readonly fields: () => readonly string[];
}

export function subjectOf(text: string): Subject {
  let json: { readonly value: object | undefined } | undefined;
  let fields: readonly string[] | undefined;
  return {
    text,
    json: () => (json ??= { value: parsedObject(text) }).value,
    fields: () => (fields ??= splitFields(text)),
  };
}

function parsedObject(text: string): object | undefined {
  const start = text.trimStart().charAt(0);
  if (start !== '{' && start !== '[') return undefined;
  if (isDeep(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

/** Maximum nesting of a JSON event. The parser takes much longer for a deeper one. Assumed: the number. */
const DEPTH_MAX = 1_000;

/** Reports whether a JSON text is nested too deeply. */
function isDeep(text: string): boolean {
  if (text.length <= DEPTH_MAX) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '"') i = endOfString(text, i);
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}

/** Returns the position of the quote that ends a string, or of the end of the text. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charAt(i) !== '"') i += text.charAt(i) === '\\' ? 2 : 1;
  return i;
}

const CLOSING: Readonly<Record<string, string>> = { '"': '"', '[': ']' };

/**
 * Splits a message at spaces. A field that begins with a quote or a bracket ends with the closing one, and omits both.
 *
 *     127.0.0.1 - "GET / HTTP/1.0" → ['127.0.0.1', '-', 'GET / HTTP/1.0']
 *
 * Source: CloudWatch Logs User Guide, "Filter pattern syntax", space-delimited log events.
 * Assumed: a quote or bracket without a closing one is part of a word. Several spaces separate like one.
 */
function splitFields(text: string): readonly string[] {
  const fields: string[] = [];
  // Positions of the next closing characters, so that each part of the message is searched once.
  const next = new Map<string, number>();
  function closeAfter(at: number): number {
    const closing = CLOSING[text.charAt(at)];
    if (closing === undefined) return -1;
    let close = next.get(closing) ?? 0;
    if (close >= 0 && close <= at) next.set(closing, (close = text.indexOf(closing, at + 1)));
    return close;
  }
  for (let at = 0; at < text.length; ) {
    if (text.charAt(at) === ' ') {
      at++;
      continue;
    }
    const close = closeAfter(at);
    const isQuoted = close > 0 && (close + 1 === text.length || text.charAt(close + 1) === ' ');
    const space = text.indexOf(' ', at);
    const end = isQuoted ? close : space < 0 ? text.length : space;
    fields.push(text.slice(isQuoted ? at + 1 : at, end));
    at = isQuoted ? close + 1 : end;
  }
  return fields;
}
