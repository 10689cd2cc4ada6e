import { EVERY, type Hit, type Rule } from './rule.ts';
import type { Item, Place, PolicyView, StatementView } from './view.ts';

/** Rules about policy variables (`${…}`). */
// biome-ignore format: a table
export const VARIABLE_RULES: readonly Rule[] = [
  { code: 'VARIABLE_UNSUPPORTED_IN_VERSION', policyTypes: EVERY, find: inOldVersion },
  { code: 'VARIABLE_UNSUPPORTED_IN_ELEMENT', policyTypes: EVERY, find: elsewhere },
  { code: 'INVALID_VARIABLE_FOR_OPERATOR',   policyTypes: EVERY, find: underOtherOperators },
  { code: 'MISSING_BRACE_IN_VARIABLE',       policyTypes: EVERY, find: faults('brace') },
  { code: 'EMPTY_VARIABLE',                  policyTypes: EVERY, find: faults('empty') },
  { code: 'UNSUPPORTED_SPACE_IN_VARIABLE',   policyTypes: EVERY, find: faults('space') },
  { code: 'MISSING_QUOTE_IN_VARIABLE',       policyTypes: EVERY, find: faults('quote') },
  { code: 'UNSUPPORTED_SYMBOL_IN_VARIABLE',  policyTypes: EVERY, find: faults('symbol') },
];

type Fault = 'brace' | 'empty' | 'space' | 'quote' | 'symbol';

interface Variable {
  /** Offset of `$` in the value. `length` includes the closing brace. */
  readonly start: number;
  readonly length: number;
  readonly fault?: Fault;
  readonly symbol?: string;
}

/** Finds the variables of a string, including malformed ones. `${*}`, `${?}` and `${$}` are escaped characters, not variables. */
function variablesOf(value: string): readonly Variable[] {
  const found: Variable[] = [];
  for (let start = value.indexOf('${'); start >= 0; start = value.indexOf('${', start + 2)) {
    const end = value.indexOf('}', start);
    if (end < 0) {
      found.push({ start, length: value.length - start, fault: 'brace' });
      break;
    }
    const inside = value.slice(start + 2, end);
    if (inside === '*' || inside === '?' || inside === '$') continue;
    found.push({ start, length: end - start + 1, ...faultOf(inside) });
  }
  return found;
}

function faultOf(inside: string): { readonly fault?: Fault; readonly symbol?: string } {
  const comma = inside.indexOf(',');
  const key = comma < 0 ? inside : inside.slice(0, comma);
  if (inside.trim() === '') return { fault: 'empty' };
  // A tag key can contain spaces, but the name before the slash cannot.
  if (key.trim() !== key || key.slice(0, key.includes('/') ? key.indexOf('/') : key.length).includes(' ')) return { fault: 'space' };
  if (comma >= 0) {
    const fallback = inside.slice(comma + 1).trim();
    if (fallback.length < 2 || !fallback.startsWith("'") || !fallback.endsWith("'")) return { fault: 'quote' };
  }
  const symbol = key.match(/[^A-Za-z0-9:/._@=+\- ]/)?.[0];
  if (symbol !== undefined) return { fault: 'symbol', symbol };
  return key.indexOf(':') < 1 || key.endsWith(':') ? { fault: 'symbol', symbol: key } : {};
}

function resourceItems({ resource, notResource }: StatementView): readonly Item[] {
  return (resource ?? notResource)?.items ?? [];
}

/** Returns the items in which variables are supported: resources, and values of String and ARN operators. */
function placesForVariables(statement: StatementView): readonly Item[] {
  const compared = statement.tests.filter(({ read }) => read !== undefined && TEXTUAL.has(read.operator.family));
  return [...resourceItems(statement), ...compared.flatMap(({ items }) => items)];
}

const TEXTUAL: ReadonlySet<string> = new Set(['text', 'text-ignore-case', 'like', 'arn']);

/** Returns the place of a variable inside a value. */
function within(item: Place, { start, length }: Variable): Place {
  return { path: [...item.path, { substring: { start, length } }], span: item.span };
}

function* inOldVersion(view: PolicyView): Iterable<Hit> {
  if (view.variables) return;
  for (const item of view.statements.flatMap(placesForVariables)) {
    for (const variable of variablesOf(item.value)) yield { at: within(item, variable) };
  }
}

function* elsewhere({ statements }: PolicyView): Iterable<Hit> {
  for (const { action, notAction, principal, node, path } of statements) {
    const items: (Place & { readonly value: string })[] = [
      ...((action ?? notAction)?.items ?? []),
      ...(principal?.entries.flatMap((entry) => entry.items) ?? []),
    ];
    if (node.sid !== undefined) items.push({ value: node.sid.value, path: [...path, { value: 'Sid' }], span: node.sid });
    for (const item of items) {
      for (const variable of variablesOf(item.value)) {
        yield { at: within(item, variable), parts: [item.value.slice(variable.start, variable.start + variable.length)] };
      }
    }
  }
}

function* underOtherOperators({ statements }: PolicyView): Iterable<Hit> {
  for (const { read, items } of statements.flatMap(({ tests }) => tests)) {
    if (read === undefined || TEXTUAL.has(read.operator.family)) continue;
    for (const item of items) if (variablesOf(item.value).length > 0) yield { at: item };
  }
}

function faults(fault: Fault): Rule['find'] {
  return function* (view) {
    if (!view.variables) return;
    for (const item of view.statements.flatMap(placesForVariables)) {
      for (const variable of variablesOf(item.value)) {
        if (variable.fault === fault) yield { at: within(item, variable), parts: [variable.symbol ?? ''] };
      }
    }
  };
}
