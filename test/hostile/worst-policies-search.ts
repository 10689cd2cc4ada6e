/**
 * Search for the most expensive policies and requests. A genome describes a candidate: a policy and a request. The
 * search changes one gene (property) of the genome at a time, and keeps the more expensive candidate. It knows the
 * quotas and the policy language, but not the code that matches patterns.
 */
import { type Dice, diceOf } from '../reference/generate-policies.ts';

/** A token of a pattern or value: a literal string that is repeated, a wildcard, or a variable. */
interface Token {
  readonly text: string;
  readonly times: number;
}

/** Description of one candidate of the search. */
export interface Genome {
  readonly effect: 'Allow' | 'Deny';
  /** Element of the policy that contains the patterns. In `Condition`, the patterns are values. */
  readonly element: 'Condition' | 'Resource' | 'NotResource';
  readonly operator: string;
  readonly key: string;
  readonly pattern: readonly Token[];
  /** Number of patterns in one statement. The policy has as many statements as the policy size allows. */
  readonly perStatement: number;
  readonly value: readonly Token[];
  readonly valueEnd: string;
  readonly otherValue: readonly Token[];
  readonly otherLength: number;
}

/** Condition key whose values the caller chooses, with the maximum length and number of values. */
interface Key {
  readonly name: string;
  readonly length: number;
  /** Number of values. 0 for a single-valued key. */
  readonly values: number;
}

// biome-ignore format: a table
const KEYS: readonly Key[] = [
  { name: 'aws:UserAgent',       length: 1024, values: 0  },
  { name: 'aws:Referer',         length: 1024, values: 0  },
  { name: 'sts:ExternalId',      length: 1224, values: 0  },
  { name: 'aws:PrincipalTag/k',  length: 256,  values: 0  },
  { name: 'aws:RequestTag/k',    length: 256,  values: 0  },
  { name: 'aws:TagKeys',         length: 128,  values: 50 },
];

const OPERATORS = [
  ...['StringLike', 'StringLike', 'StringNotLike', 'ArnLike', 'ArnNotEquals', 'StringEquals', 'StringEqualsIgnoreCase'],
  ...['NumericEquals', 'DateLessThan', 'BinaryEquals', 'IpAddress', 'Bool'],
];
const PREFIXES = ['', 'ForAnyValue:', 'ForAllValues:'];
const VARIABLES = ['aws:UserAgent', 'aws:Referer', 'aws:PrincipalTag/k', 'sts:ExternalId'].map((key) => `\${${key}}`);
const PATTERN_TEXTS = ['a', 'a', 'b', '*', '*', '?', ':', '1', ...VARIABLES];
const VALUE_TEXTS = ['a', 'a', 'a', 'b', 'ab', 'aab', ':', '1', 'arn:'];
const ENDS = ['', 'b', 'c', 'a', 'bc'];
const TIMES = [1, 1, 1, 2, 3, 5, 8, 13, 30, 60, 120, 250, 500];

function pick<Item>(roll: Dice, items: readonly Item[]): Item {
  return items[roll(items.length)] as Item;
}

function token(roll: Dice, texts: readonly string[]): Token {
  const text = pick(roll, texts);
  return { text, times: text.length > 4 ? 1 : pick(roll, TIMES) };
}

export function randomGenome(roll: Dice): Genome {
  return {
    effect: pick(roll, ['Allow', 'Deny']),
    element: pick(roll, ['Condition', 'Condition', 'Condition', 'Resource', 'NotResource']),
    operator: pick(roll, PREFIXES) + pick(roll, OPERATORS),
    key: pick(roll, KEYS).name,
    pattern: Array.from({ length: 1 + roll(6) }, () => token(roll, PATTERN_TEXTS)),
    perStatement: pick(roll, [1, 5, 1000]),
    value: Array.from({ length: 1 + roll(2) }, () => token(roll, VALUE_TEXTS)),
    valueEnd: pick(roll, ENDS),
    otherValue: [token(roll, VALUE_TEXTS)],
    otherLength: pick(roll, [1, 16, 64, 128, 256, 512, 1024]),
  };
}

/** Returns a copy of a genome with one gene (property) changed at random. */
export function mutate(genome: Genome, roll: Dice): Genome {
  const fresh = randomGenome(roll);
  const tokens = (old: readonly Token[], texts: readonly string[]): readonly Token[] => {
    const at = roll(old.length);
    switch (roll(4)) {
      case 0:
        return old.length > 1 ? old.toSpliced(at, 1) : old;
      case 1:
        return old.toSpliced(at, 0, token(roll, texts));
      case 2:
        return old.toSpliced(at, 1, { text: (old[at] as Token).text, times: pick(roll, TIMES) });
      default:
        return old.toSpliced(at, 1, token(roll, texts));
    }
  };
  const genes: readonly Partial<Genome>[] = [
    { effect: fresh.effect },
    { element: fresh.element },
    { operator: fresh.operator },
    { key: fresh.key },
    { pattern: tokens(genome.pattern, PATTERN_TEXTS) },
    { pattern: tokens(genome.pattern, PATTERN_TEXTS) },
    { pattern: tokens(genome.pattern, PATTERN_TEXTS) },
    { perStatement: fresh.perStatement },
    { value: tokens(genome.value, VALUE_TEXTS) },
    { valueEnd: fresh.valueEnd },
    { otherValue: fresh.otherValue, otherLength: fresh.otherLength },
  ];
  return { ...genome, ...pick(roll, genes) };
}

const spell = (tokens: readonly Token[]): string => tokens.map(({ text, times }) => text.repeat(times)).join('');

function stretched(tokens: readonly Token[], end: string, length: number): string {
  const unit = spell(tokens);
  return `${unit.repeat(Math.ceil(length / unit.length)).slice(0, length - end.length)}${end}`;
}

/** Returns the policy of a genome. The policy has as many statements as fit into `characters`. */
export function policyOf(genome: Genome, characters: number): string {
  const { effect, element, operator, key, perStatement } = genome;
  const pattern = spell(genome.pattern);
  const inArn = element === 'Condition' ? pattern : `arn:aws:chime:us-east-1:111122223333:${pattern}`;
  const value = JSON.stringify(inArn);
  const [open, close] =
    element === 'Condition'
      ? [`{"Effect":"${effect}","Action":"*","Resource":"*","Condition":{"${operator}":{"${key}":[`, ']}}}']
      : [`{"Effect":"${effect}","Action":"*","${element}":[`, ']}'];
  const begin = '{"Version":"2012-10-17","Statement":[';
  const statements: string[] = [];
  let room = characters - begin.length - 2;
  for (;;) {
    const count = Math.min(perStatement, Math.floor((room - open.length - close.length - 1) / (value.length + 1)));
    if (count < 1) break;
    const statement = `${open}${new Array(count).fill(value).join()}${close}`;
    statements.push(statement);
    room -= statement.length + 1;
  }
  return `${begin}${statements.join()}]}`;
}

export interface WorstRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: ReadonlyMap<string, string | readonly string[]>;
}

/**
 * Returns the request of a genome. The request has values for every condition key that a caller can choose. The values
 * of the key in the policy have the maximum length. `otherLength` limits the length of all other values.
 */
export function requestOf({ key, value, valueEnd, otherValue, otherLength }: Genome): WorstRequest {
  const context = new Map<string, string | readonly string[]>();
  for (const { name, length, values } of KEYS) {
    const of = (most: number): string =>
      name === key ? stretched(value, valueEnd, most) : stretched(otherValue, '', Math.min(most, otherLength));
    const list = Array.from({ length: values }, (_, i) => of(length - 2) + String(i).padStart(2, '0'));
    context.set(name.toLowerCase(), values === 0 ? of(length) : list);
  }
  const rest = stretched(value, valueEnd, 1024);
  return { action: 'chime:CreateChannel', resource: `arn:aws:chime:us-east-1:111122223333:${rest}`, context };
}

export interface Found {
  readonly genome: Genome;
  readonly cost: number;
}

/**
 * Searches for the most expensive genome by hill climbing from random genomes. A genome whose policy is invalid costs
 * nothing.
 */
export function searchWorst(seed: number, tries: number, cost: (genome: Genome) => number): Found {
  const roll = diceOf(seed);
  const costOf = (genome: Genome): number => {
    try {
      return cost(genome);
    } catch (error) {
      // The policy is invalid.
      if ((error as Error).name === 'PolicyTextError') return 0;
      throw error;
    }
  };
  let best: Found = { genome: randomGenome(roll), cost: 0 };
  let here: Found = best;
  let idle = 0;
  for (let i = 0; i < tries; i++) {
    const genome = idle > 150 ? randomGenome(roll) : mutate(here.genome, roll);
    const found = { genome, cost: costOf(genome) };
    if (idle > 150 || found.cost >= here.cost) {
      if (found.cost > here.cost * 1.01 || idle > 150) idle = 0;
      here = found;
    }
    idle++;
    if (found.cost > best.cost) best = found;
  }
  return best;
}
