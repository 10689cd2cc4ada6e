import { BACKSLASH } from '#core/json-characters.ts';

/**
 * Locations in a JSON string, as the JSON library Jackson prints them. The errors of event patterns contain them.
 *
 * Source: Jackson 2.15, JsonLocation and ContentReference. Recorded: test/cases/recorded/event-patterns.json.
 */

/** Maximum length of the quoted part of the source. */
const QUOTED_MAX = 500;
const NEW_LINE = 0x0a;
const RETURN = 0x0d;

/**
 * Describes the place after the first `consumed` characters: `[Source: (String)"{}"; line: 1, column: 3]`.
 *
 * `lined` is the number of characters whose line breaks count. It is smaller than `consumed` if the last character is an
 * invalid line break inside a string.
 */
export function sourceLocation(text: string, consumed: number, lined = consumed): string {
  let line = 1;
  let start = 0;
  for (let at = 0; at < lined; at++) {
    const unit = text.charCodeAt(at);
    if (unit !== NEW_LINE && unit !== RETURN) continue;
    if (unit === RETURN && at + 1 < lined && text.charCodeAt(at + 1) === NEW_LINE) at++;
    line++;
    start = at + 1;
  }
  return `[Source: ${quotedSource(text)}; line: ${line}, column: ${consumed - start + 1}]`;
}

/** Quotes the start of the source. Control characters other than line breaks are escaped. */
function quotedSource(text: string): string {
  const shown = text.slice(0, QUOTED_MAX).replace(/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, escaped);
  const rest = text.length > QUOTED_MAX ? `[truncated ${text.length - QUOTED_MAX} chars]` : '';
  return `(String)"${shown}"${rest}`;
}

function escaped(character: string): string {
  return `${String.fromCharCode(BACKSLASH)}u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
