/** Search for the terms of a pattern in long texts. */

/**
 * Maximum length of a term for which the engine's own search takes linear time. V8 prepares only the last 250 characters of a term, so a
 * longer one can take the product of both lengths.
 */
const NATIVE_TERM_MAX = 250;
/** Maximum number of searches of one text, and characters of this text, for which the engine's own search is used in any case. */
const NATIVE_SEARCHES_MAX = 4;
const NATIVE_TEXT_MAX = 1_024;

/** Searches for the terms of one pattern. The time is linear in the length of the text, for any number of terms. */
export interface TermSearch {
  /** Reports whether a text contains a term of the pattern. */
  contains(text: string, term: string): boolean;
}

/** Creates a search for terms, which are not empty. It prepares itself for many terms when a long text requires it. */
export function termSearch(terms: readonly string[]): TermSearch {
  const isNative = terms.length <= NATIVE_SEARCHES_MAX && terms.every(({ length }) => length <= NATIVE_TERM_MAX);
  let tree: Node | undefined;
  let last: { readonly text: string; readonly found: ReadonlySet<string> } | undefined;
  return {
    contains(text, term) {
      if (isNative || text.length <= NATIVE_TEXT_MAX) return text.includes(term);
      tree ??= treeOf(terms);
      if (last?.text !== text) last = { text, found: foundIn(text, tree) };
      return last.found.has(term);
    },
  };
}

/** Node of the automaton of Aho and Corasick: a prefix of a term. */
interface Node {
  readonly next: Map<number, Node>;
  /** Node of the longest proper suffix that is a prefix of a term. Absent at the root. */
  suffix?: Node;
  /** Term that ends here. */
  term?: string;
  /** Nearest suffix at which a term ends. */
  ending?: Node | undefined;
}

function treeOf(terms: readonly string[]): Node {
  const root: Node = { next: new Map() };
  for (const term of terms) {
    let node = root;
    for (let i = 0; i < term.length; i++) {
      const code = term.charCodeAt(i);
      let next = node.next.get(code);
      if (next === undefined) node.next.set(code, (next = { next: new Map() }));
      node = next;
    }
    node.term = term;
  }
  const queue: Node[] = [root];
  for (const node of queue) {
    for (const [code, child] of node.next) {
      let suffix = node.suffix;
      while (suffix !== undefined && !suffix.next.has(code)) suffix = suffix.suffix;
      child.suffix = suffix?.next.get(code) ?? root;
      child.ending = child.suffix.term === undefined ? child.suffix.ending : child.suffix;
      queue.push(child);
    }
  }
  return root;
}

/** Returns the terms that a text contains. */
function foundIn(text: string, root: Node): ReadonlySet<string> {
  const found = new Set<string>();
  let node = root;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    let next = node.next.get(code);
    while (next === undefined && node.suffix !== undefined) {
      node = node.suffix;
      next = node.next.get(code);
    }
    if (next === undefined) continue;
    node = next;
    // A term that was found before has added the terms that are its suffixes.
    for (let end = node.term === undefined ? node.ending : node; end?.term !== undefined && !found.has(end.term); end = end.ending)
      found.add(end.term);
  }
  return found;
}
