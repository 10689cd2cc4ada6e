/**
 * Creates example strings for the patterns and conditions of policies: strings that they match, and strings that they
 * do not match. This module only chooses the examples. The engine decides whether an example matches.
 */
import type { ArnPattern, ConditionTest } from '../lowered.ts';
import type { Piece } from '../pattern.ts';
import { addressText, mask, toMoment, toNumber, toRange } from '../values.ts';

/** Strings that no policy contains, so that only wildcards match them. */
export interface Fresh {
  /** One character that no policy contains. */
  readonly character: string;
  /** Several characters that no policy contains. */
  readonly word: string;
}

/** Function that returns example values of a policy variable, such as `aws:username`. */
export type VariableValues = (key: string) => readonly string[];

/** Maximum number of examples of one pattern. */
const EXAMPLES_MAX = 8;

/**
 * Returns strings that a pattern matches. In these strings, a word, an empty string or one character replaces each `*`.
 */
export function examplesOf(pieces: readonly Piece[], fresh: Fresh, variables: VariableValues): readonly string[] {
  const examples = new Set<string>();
  for (const fill of [fresh.word, '', fresh.character]) {
    for (const text of fillPieces(pieces, fill, fresh, variables)) {
      if (examples.size < EXAMPLES_MAX) examples.add(text);
    }
  }
  return [...examples];
}

function fillPieces(pieces: readonly Piece[], star: string, fresh: Fresh, variables: VariableValues): readonly string[] {
  let texts: readonly string[] = [''];
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'text':
        texts = texts.map((text) => text + piece.text);
        break;
      case 'many':
        texts = texts.map((text) => text + star);
        break;
      case 'one':
        texts = texts.map((text) => text + fresh.character);
        break;
      case 'variable': {
        const values = piece.fallback === undefined ? variables(piece.key) : [...variables(piece.key), piece.fallback];
        texts = texts.flatMap((text) => values.map((value) => text + value)).slice(0, EXAMPLES_MAX);
        break;
      }
    }
  }
  return texts;
}

/** Returns resources that an ARN pattern matches. */
export function resourcesOf(pattern: ArnPattern, fresh: Fresh, variables: VariableValues): readonly string[] {
  if (pattern.kind === 'everything') return ['*'];
  const { segments } = pattern;
  const filled: string[] = [];
  for (const fill of [fresh.word, '', fresh.character]) {
    const fields = segments.map((pieces, i) => exampleField(pieces, i, fill, fresh, variables));
    // An ARN pattern with fewer than six segments matches any value in the missing segments.
    for (let i = fields.length; i < 6; i++) fields.push([DEFAULT_FIELDS[i] ?? fresh.word]);
    for (const last of fields[5] ?? []) filled.push([...fields.slice(0, 5).map((field) => field[0] ?? ''), last].join(':'));
  }
  return [...new Set(filled)].slice(0, EXAMPLES_MAX);
}

/** Realistic values for wildcards in the first five segments of an ARN. */
const OTHER_FIELDS = [undefined, undefined, undefined, 'eu-central-1', '444455556666'] as const;
const DEFAULT_FIELDS = ['arn', 'aws', 'chime', 'us-east-1', '111122223333', undefined] as const;

function exampleField(pieces: readonly Piece[], field: number, fill: string, fresh: Fresh, variables: VariableValues): readonly string[] {
  const usual = DEFAULT_FIELDS[field];
  if (usual !== undefined && pieces.length === 1 && pieces[0]?.kind === 'many') {
    // Other patterns may contain the realistic values. So one of the examples has a string that no policy contains.
    return [fill === fresh.word ? usual : fill === '' ? (OTHER_FIELDS[field] ?? usual) : fresh.word];
  }
  return fillPieces(pieces, fill, fresh, variables);
}

/**
 * Returns values that distinguish one condition test from others: the values of the test, adjacent values (such as a
 * number plus 1), and a value that no policy contains.
 */
export function valuesOf(test: ConditionTest, fresh: Fresh, variables: VariableValues): readonly string[] {
  const texts = test.values.flatMap((pieces) => examplesOf(pieces, fresh, variables));
  switch (test.operator.family) {
    case 'text':
    case 'like':
      return [...texts, fresh.word];
    case 'text-ignore-case':
      return [...texts, ...texts.map((text) => text.toUpperCase()), fresh.word];
    case 'number':
      return texts.flatMap((text) => aroundNumber(toNumber(text)));
    case 'date':
      return texts.flatMap((text) => aroundMoment(toMoment(text)));
    case 'bool':
      return ['true', 'false'];
    case 'address':
      return texts.flatMap((text) => aroundRange(text));
    case 'arn':
      return [...texts, `arn:aws:iam::111122223333:user/${fresh.word}`];
    case 'binary':
      return [...texts, 'QQ=='];
    case 'null':
      return [fresh.word];
  }
}

function aroundNumber(number: number): readonly string[] {
  return Number.isNaN(number) ? [] : [number, number - 1, number + 1].map(String).filter((text) => !text.includes('e'));
}

function aroundMoment(moment: number): readonly string[] {
  if (Number.isNaN(moment) || Math.abs(moment) > 8_640_000_000_000_000 - 1000) return [];
  const near = [moment, moment - 1000, moment + 1000].map((at) => new Date(at).toISOString());
  // `toISOString` writes years after 9999 with six digits, which policies do not support.
  return near.filter((text) => text.length === 24);
}

/**
 * Returns the first and the last address of a range. Also returns an address outside the range, unless the range has
 * all addresses.
 */
function aroundRange(text: string): readonly string[] {
  const range = toRange(text);
  if (range === undefined) return [];
  const { family, bits, words } = range;
  const width = family === 4 ? 32 : 128;
  const last = words.map((word, i) => (word | ~mask(bits - 32 * i)) >>> 0);
  const outside = words.map((word, i) => (bits > 0 && i === (bits - 1) >> 5 ? (word ^ (1 << (31 - ((bits - 1) & 31)))) >>> 0 : word));
  const addresses = [words, last, ...(bits > 0 ? [outside] : [])].map((words) => addressText(words.slice(0, width / 32)));
  return [...new Set(addresses)];
}

/** Returns strings that occur in none of the passed strings. */
export function freshFor(texts: readonly string[]): Fresh {
  const all = texts.join('\n').toLowerCase();
  const character = [...'zqxjkvwyu'].find((letter) => !all.includes(letter)) ?? 'z';
  let word = `${character}9${character}`;
  while (all.includes(word)) word += character;
  return { character, word };
}
