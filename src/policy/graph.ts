import { IPV4_SHIFT, TRUE } from './facts.ts';
import type { RequestRecord } from './request.ts';
import { ABSENT, UNREAD } from './texts.ts';

/** A question about a request that was prepared when the policy was linked. */
export type Predicate = (record: RequestRecord) => boolean;

/** How an atom is asked where the record holds what it asks about as a number. */
export const ANSWER = 0;
/** Only by `test`. */
export const TEXT = 1;
/** The resource's first five segments are those of `number`. */
export const HEAD = 2;
/** The resource's first five segments, and its sixth up to the first slash, are those of `number`. */
export const KIND = 3;
/** The two bits at `number` are one of the states in the bits of `states`. */
export const TRUTH = 4;
/** The region, or the organization, is one of `list`. */
export const REGION = 5;
export const ORGANIZATION = 6;
/** The address lies in one of the networks in `list`, in which their masks follow them. */
export const IPV4 = 7;
/** The moment lies before `bound`, or after. */
export const BEFORE = 8;
export const AFTER = 9;

/** One comparison of a statement: of its resource with a pattern, or of a context key with an operator's values. */
export interface Atom {
  readonly op: number;
  readonly number: number;
  readonly states: number;
  readonly list: readonly number[];
  readonly bound: number;
  /** What it answers where none of the list is met, and where the key is absent. */
  readonly negated: boolean;
  readonly missing: boolean;
  /** The same question, asked about texts: right for every record. */
  readonly test: Predicate;
  /** The nodes that ask it, by where they lead: weak, so that a policy that outlives another does not keep what they made together. */
  readonly nodes: WeakMap<Node, WeakMap<Node, Node>>;
}

type Quick = Partial<Omit<Atom, 'test' | 'nodes'>> & { readonly op: number };

const NO_LIST: readonly number[] = [];

export function newAtom(test: Predicate, quick: Quick = { op: TEXT }): Atom {
  // A number that was not to be had is no way to ask.
  const op = (quick.op === HEAD || quick.op === KIND) && quick.number === UNREAD ? TEXT : quick.op;
  return {
    op,
    number: quick.number ?? 0,
    states: quick.states ?? 0,
    list: quick.list ?? NO_LIST,
    bound: quick.bound ?? 0.5,
    negated: quick.negated ?? false,
    missing: quick.missing ?? false,
    test,
    nodes: new WeakMap(),
  };
}

/** What a statement asks. */
export type Test = boolean | Atom | { readonly all: readonly Test[] } | { readonly any: readonly Test[] } | { readonly not: Test };

/**
 * A step of a decision: an atom and where either answer leads; or the answer. One question in the same place is one node for all
 * programs, so a thousand principals' programs fit where a decision need not go far for them.
 */
export interface Node {
  readonly op: number;
  readonly atom: Atom;
  readonly yes: Node;
  readonly no: Node;
  readonly answer: number;
}

const NOTHING = newAtom(() => false, { op: ANSWER });
const ANSWERS = new Map<number, Node>();

/** The end of a graph. There are few, and they stay. */
export function answerNode(answer: number): Node {
  let node = ANSWERS.get(answer);
  if (node === undefined) {
    const made = { op: ANSWER, atom: NOTHING, yes: undefined as unknown as Node, no: undefined as unknown as Node, answer };
    made.yes = made;
    made.no = made;
    node = made;
    ANSWERS.set(answer, node);
  }
  return node;
}

/** The graph that leads to one of two nodes. What is constant, or makes no difference, is not asked. */
export function graphOf(test: Test, yes: Node, no: Node): Node {
  if (test === true) return yes;
  if (test === false) return no;
  if ('not' in test) return graphOf(test.not, no, yes);
  if ('all' in test) return test.all.reduceRight((next: Node, one) => graphOf(one, next, no), yes);
  if ('any' in test) return test.any.reduceRight((next: Node, one) => graphOf(one, yes, next), no);
  return yes === no ? yes : nodeOf(test, yes, no);
}

function nodeOf(atom: Atom, yes: Node, no: Node): Node {
  let byNo = atom.nodes.get(yes);
  if (byNo === undefined) atom.nodes.set(yes, (byNo = new WeakMap()));
  let node = byNo.get(no);
  if (node === undefined) byNo.set(no, (node = { op: atom.op, atom, yes, no, answer: 0 }));
  return node;
}

/** What a test costs at most, in questions asked by number; one that is asked about a text costs ten of them. */
export function costOf(test: Test): number {
  if (typeof test === 'boolean') return 0;
  if ('not' in test) return costOf(test.not);
  const parts = 'all' in test ? test.all : 'any' in test ? test.any : undefined;
  if (parts !== undefined) return parts.reduce((sum, part) => sum + costOf(part), 0);
  return 'op' in test && test.op === TEXT ? 10 : 1;
}

/** The number of questions of a test. */
export function sizeOf(test: Test): number {
  if (typeof test === 'boolean') return 0;
  if ('not' in test) return sizeOf(test.not);
  const parts = 'all' in test ? test.all : 'any' in test ? test.any : undefined;
  return parts === undefined ? 1 : parts.reduce<number>((sum, part) => sum + sizeOf(part), 0);
}

/** Follows a graph to its answer. One loop without calls where the record has the numbers, which is what makes a decision cheap. */
export function walk(from: Node, record: RequestRecord): number {
  let node = from;
  for (;;) {
    const { op, atom } = node;
    let holds: boolean;
    switch (op) {
      case ANSWER:
        return node.answer;
      case HEAD:
        holds = record.head === UNREAD ? atom.test(record) : record.head === atom.number;
        break;
      case KIND:
        holds = record.kind === UNREAD ? atom.test(record) : record.kind === atom.number;
        break;
      case TRUTH: {
        const state = (record.truths >>> atom.number) & 3;
        holds = state === UNREAD ? atom.test(record) : ((atom.states >>> state) & 1) === 1;
        break;
      }
      case REGION:
        holds = record.region === UNREAD ? atom.test(record) : numberMeets(atom, record.region);
        break;
      case ORGANIZATION:
        holds = record.organization === UNREAD ? atom.test(record) : numberMeets(atom, record.organization);
        break;
      case IPV4:
        holds = ((record.truths >>> IPV4_SHIFT) & 3) === TRUE ? networkMeets(atom, record.ipv4) : atom.test(record);
        break;
      case BEFORE:
        // NaN is neither before nor after, and where it was not read the text is asked.
        holds = record.moment < atom.bound || (Number.isNaN(record.moment) && atom.test(record));
        break;
      case AFTER:
        holds = record.moment > atom.bound || (Number.isNaN(record.moment) && atom.test(record));
        break;
      default:
        holds = atom.test(record);
    }
    node = holds ? node.yes : node.no;
  }
}

function numberMeets({ list, negated, missing }: Atom, number: number): boolean {
  if (number === ABSENT) return missing;
  for (let i = 0; i < list.length; i++) if (list[i] === number) return !negated;
  return negated;
}

function networkMeets({ list, negated }: Atom, address: number): boolean {
  for (let i = 0; i < list.length; i += 2) if ((address & (list[i + 1] as number)) === list[i]) return !negated;
  return negated;
}
