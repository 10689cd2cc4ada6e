/** Search expressions of SEARCH: `{AWS/Usage,Service,Resource} MetricName="CallCount" NOT Delete`. */
import { MathError } from './series.ts';

/** A metric, as a search sees it. */
export interface Searchable {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: readonly { readonly Name: string; readonly Value: string }[];
}

/** A compiled search. */
export interface CompiledSearch {
  /** Reports whether the search finds a metric. */
  readonly matches: (metric: Searchable) => boolean;
  /** Number of terms. The work for a metric is that of each term with each of its texts. */
  readonly terms: number;
}

/** A text of a metric, in the forms that terms compare. Each is created once for all terms. */
interface Text {
  readonly text: string;
  readonly lower: string;
  readonly words: ReadonlySet<string>;
}

interface Described {
  readonly metric: Searchable;
  readonly texts: readonly Text[];
  /** Returns the texts of a property. */
  readonly ofProperty: (property: string) => readonly Text[];
}

type Matches = (described: Described) => boolean;

/** Maximum nesting of parentheses and `NOT`. Assumed: the number. */
const DEPTH_MAX = 40;

interface Token {
  readonly kind: 'word' | 'quoted' | 'symbol' | 'end';
  readonly text: string;
}

/**
 * Compiles a search. A schema in braces matches metrics of the namespace with exactly these dimension names. Terms match words of the
 * namespace, the metric name, and the names and values of dimensions, ignoring case. A term in quotes must equal one of them exactly.
 * `Property=term` compares only this property. Terms are combined with `AND`, which may be omitted, `OR`, `NOT` and parentheses.
 *
 * Source: CloudWatch User Guide, "CloudWatch search expression syntax".
 * Assumed: words end at other characters than letters and digits, and between `aB` in camel case.
 *
 * @throws MathError  the search is invalid. Assumed: the messages
 */
export function compiledSearch(text: string): CompiledSearch {
  const tokens = tokensOf(text);
  let at = 0;
  const next = (): Token => tokens[at] as Token;
  const is = (symbol: string): boolean => next().kind === 'symbol' && next().text === symbol;
  const isWord = (word: string): boolean => next().kind === 'word' && next().text === word;

  function schema(): Matches {
    const names: string[] = [];
    do {
      at++;
      let name = '';
      while (next().kind === 'word' || next().kind === 'quoted') name += `${name === '' ? '' : ' '}${(tokens[at++] as Token).text}`;
      if (name === '') throw unexpected(next());
      names.push(name);
    } while (is(','));
    if (!is('}')) throw unexpected(next());
    at++;
    const [namespace, ...dimensions] = names;
    return ({ metric }) =>
      metric.namespace === namespace &&
      metric.dimensions.length === dimensions.length &&
      metric.dimensions.every(({ Name }) => dimensions.includes(Name));
  }

  function either(depth: number, of: Texts): Matches {
    const found = [all(depth, of)];
    while (isWord('OR')) {
      at++;
      found.push(all(depth, of));
    }
    return (metric) => found.some((matches) => matches(metric));
  }

  function all(depth: number, of: Texts): Matches {
    const found = [term(depth, of)];
    while (next().kind !== 'end' && !is(')') && !isWord('OR')) {
      if (isWord('AND')) at++;
      found.push(term(depth, of));
    }
    return (metric) => found.every((matches) => matches(metric));
  }

  function term(depth: number, of: Texts): Matches {
    if (depth > DEPTH_MAX) throw new MathError('The search is nested too deeply.');
    if (isWord('NOT')) {
      at++;
      const not = term(depth + 1, of);
      return (metric) => !not(metric);
    }
    if (is('(')) {
      at++;
      const inner = either(depth + 1, of);
      if (!is(')')) throw unexpected(next());
      at++;
      return inner;
    }
    const { kind, text: found } = next();
    if (kind !== 'word' && kind !== 'quoted') throw unexpected(next());
    at++;
    if (is('=')) {
      at++;
      return term(depth + 1, ({ ofProperty }) => ofProperty(found));
    }
    if (kind === 'quoted') return (metric) => of(metric).some(({ text }) => text === found);
    const wanted = wordsOf(found);
    const lower = found.toLowerCase();
    return (metric) => of(metric).some((each) => each.lower === lower || hasWords(each, wanted));
  }

  const inSchema: Matches = is('{') ? schema() : () => true;
  const terms = tokens.length - at;
  if (next().kind === 'end') return { terms, matches: (metric) => inSchema(described(metric)) };
  const matches = either(0, ({ texts }) => texts);
  if (next().kind !== 'end') throw unexpected(next());
  return {
    terms,
    matches(metric) {
      const each = described(metric);
      return inSchema(each) && matches(each);
    },
  };
}

type Texts = (described: Described) => readonly Text[];

function described(metric: Searchable): Described {
  const { namespace, metricName, dimensions } = metric;
  const known = new Map<string, Text>();
  const textOf = (text: string): Text => {
    let found = known.get(text);
    if (found === undefined) known.set(text, (found = { text, lower: text.toLowerCase(), words: new Set(wordsOf(text)) }));
    return found;
  };
  return {
    metric,
    get texts() {
      return [namespace, metricName, ...dimensions.flatMap(({ Name, Value }) => [Name, Value])].map(textOf);
    },
    ofProperty(property) {
      if (property === 'Namespace') return [textOf(namespace)];
      if (property === 'MetricName') return [textOf(metricName)];
      return dimensions.filter(({ Name }) => Name === property).map(({ Value }) => textOf(Value));
    },
  };
}

function hasWords({ words }: Text, wanted: readonly string[]): boolean {
  return wanted.length > 0 && wanted.every((word) => words.has(word));
}

function wordsOf(text: string): readonly string[] {
  return (text.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g) ?? []).map((word) => word.toLowerCase());
}

function unexpected({ kind, text }: Token): MathError {
  return new MathError(kind === 'end' ? 'Unexpected end of the search.' : `Unexpected '${text.slice(0, 64)}' in the search.`);
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    if (/\s/.test(character)) at++;
    else if ('{}(),='.includes(character)) {
      tokens.push({ kind: 'symbol', text: character });
      at++;
    } else if (character === '"') {
      const end = text.indexOf('"', at + 1);
      if (end < 0) throw new MathError('Unterminated string in the search.');
      tokens.push({ kind: 'quoted', text: text.slice(at + 1, end) });
      at = end + 1;
    } else {
      const word = (/^[^\s{}(),="]+/.exec(text.slice(at)) as RegExpExecArray)[0];
      tokens.push({ kind: 'word', text: word });
      at += word.length;
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}
