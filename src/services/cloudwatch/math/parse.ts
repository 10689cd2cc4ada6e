/** Parser of metric math. It owns the grammar, and knows no functions or values. */
import { MathError } from './series.ts';

/** An expression. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  /** ID of another query of the request. */
  | { readonly kind: 'id'; readonly name: string }
  /** Word in upper case that is an option of a function, such as `REPEAT`. */
  | { readonly kind: 'word'; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'negative'; readonly of: Expression }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly Expression[] };

export type Operator = '+' | '-' | '*' | '/' | '^' | '==' | '!=' | '<=' | '>=' | '<' | '>' | 'AND' | 'OR';

/** Maximum nesting of an expression. Assumed: the number. */
const DEPTH_MAX = 40;

/**
 * Operators that bind equally, from the loosest to the tightest. `^` binds tighter than all of these, and to the right.
 *
 * Source: CloudWatch User Guide, "Using metric math", operators. Assumed: the precedence, which is that of most languages.
 */
const LEVELS: readonly (readonly Operator[])[] = [['OR'], ['AND'], ['==', '!=', '<=', '>=', '<', '>'], ['+', '-'], ['*', '/']];

const SYMBOLS = ['==', '!=', '<=', '>=', '&&', '||', '<', '>', '+', '-', '*', '/', '^', '(', ')', '[', ']', ','] as const;
const ALIASES: Readonly<Record<string, Operator>> = { '&&': 'AND', '||': 'OR' };

interface Token {
  readonly kind: 'number' | 'string' | 'name' | 'symbol' | 'end';
  readonly text: string;
}

/** Parses an expression. @throws MathError  it is invalid, or nested too deeply. Assumed: the messages */
export function parse(text: string): Expression {
  const tokens = tokensOf(text);
  let at = 0;
  const next = (): Token => tokens[at] as Token;
  const isSymbol = (symbol: string): boolean => next().kind === 'symbol' && next().text === symbol;

  function take(symbol: string): void {
    if (!isSymbol(symbol)) throw unexpected(next());
    at++;
  }

  function binary(level: number, depth: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return unary(depth);
    let left = binary(level + 1, depth);
    for (;;) {
      const operator = operatorOf(next());
      if (operator === undefined || !operators.includes(operator)) return left;
      at++;
      left = { kind: 'binary', operator, left, right: binary(level + 1, depth) };
    }
  }

  function unary(depth: number): Expression {
    if (depth > DEPTH_MAX) throw new MathError('The expression is nested too deeply.');
    if (isSymbol('-')) {
      at++;
      return { kind: 'negative', of: unary(depth + 1) };
    }
    if (isSymbol('+')) {
      at++;
      return unary(depth + 1);
    }
    const base = primary(depth);
    if (!isSymbol('^')) return base;
    at++;
    return { kind: 'binary', operator: '^', left: base, right: unary(depth + 1) };
  }

  function primary(depth: number): Expression {
    const token = next();
    at++;
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) };
    if (token.kind === 'string') return { kind: 'string', value: token.text };
    if (token.kind === 'name') {
      if (isSymbol('(')) {
        at++;
        return { kind: 'call', name: token.text, parameters: items(')', depth) };
      }
      return /^[a-z]/.test(token.text) ? { kind: 'id', name: token.text } : { kind: 'word', name: token.text };
    }
    if (token.kind === 'symbol' && token.text === '(') {
      const inner = binary(0, depth + 1);
      take(')');
      return inner;
    }
    if (token.kind === 'symbol' && token.text === '[') return { kind: 'list', items: items(']', depth) };
    throw unexpected(token);
  }

  function items(end: ')' | ']', depth: number): readonly Expression[] {
    const found: Expression[] = [];
    if (!isSymbol(end)) {
      found.push(binary(0, depth + 1));
      while (isSymbol(',')) {
        at++;
        found.push(binary(0, depth + 1));
      }
    }
    take(end);
    return found;
  }

  const expression = binary(0, 0);
  if (next().kind !== 'end') throw unexpected(next());
  return expression;
}

function operatorOf({ kind, text }: Token): Operator | undefined {
  if (kind === 'symbol') return ALIASES[text] ?? (text as Operator);
  return kind === 'name' && (text === 'AND' || text === 'OR') ? text : undefined;
}

function unexpected({ kind, text }: Token): MathError {
  return new MathError(kind === 'end' ? 'Unexpected end of the expression.' : `Unexpected '${text.slice(0, 64)}'.`);
}

/** Cuts an expression into tokens. Its length is limited by the model: 2,048 characters. */
function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at] as string;
    if (/\s/.test(character)) {
      at++;
      continue;
    }
    const rest = text.slice(at);
    const number = /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?/.exec(rest)?.[0];
    const name = /^[A-Za-z][A-Za-z0-9_]*/.exec(rest)?.[0];
    const symbol = SYMBOLS.find((each) => rest.startsWith(each));
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (character === '"' || character === "'") {
      const end = text.indexOf(character, at + 1);
      if (end < 0) throw new MathError('Unterminated string.');
      tokens.push({ kind: 'string', text: text.slice(at + 1, end) });
      at = end + 1;
      continue;
    } else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol });
    else throw new MathError(`Unexpected '${character}'.`);
    at += (number ?? name ?? (symbol as string)).length;
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

/** Returns an expression and all its parts. */
export function partsOf(expression: Expression): readonly Expression[] {
  const parts: Expression[] = [];
  const open: Expression[] = [expression];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    parts.push(each);
    if (each.kind === 'list') open.push(...each.items);
    else if (each.kind === 'call') open.push(...each.parameters);
    else if (each.kind === 'negative') open.push(each.of);
    else if (each.kind === 'binary') open.push(each.left, each.right);
  }
  return parts;
}
