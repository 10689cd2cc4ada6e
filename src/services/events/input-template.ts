/** Templates of InputTransformer: parse and check. `target-input.ts` fills them. */

/** Variables that every template can use. Source: EventBridge User Guide, "Input transformation". */
export const RESERVED = new Set([
  'aws.events.rule-arn',
  'aws.events.rule-name',
  'aws.events.event.ingestion-time',
  'aws.events.event.json',
  'aws.events.event',
]);

/** Part of a template: text that is delivered as it is, or a variable. */
export type TemplatePart = string | { readonly variable: string; readonly quoted: boolean };

const NAME = /[\w.-]/;

/**
 * Splits a template into text and variables. A variable is *quoted* if it is inside a JSON string. A `<` that begins no name is text. Takes
 * one step for each character.
 *
 *     parseTemplate('{"a": <x>, "b": "is <y>"}') → ['{"a": ', {x}, ', "b": "is ', {y, quoted}, '"}']
 */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let quoted = false;
  let from = 0;
  for (let i = 0; i < template.length; i++) {
    const character = template[i];
    if (character === '\\' && quoted) i++;
    else if (character === '"') quoted = !quoted;
    else if (character === '<') {
      let end = i + 1;
      while (end < template.length && NAME.test(template[end] as string)) end++;
      if (template[end] === '>' && end > i + 1) {
        if (i > from) parts.push(template.slice(from, i));
        parts.push({ variable: template.slice(i + 1, end), quoted });
        from = end + 1;
      }
      i = Math.max(i, end - (template[end] === '>' ? 0 : 1));
    }
  }
  if (from < template.length) parts.push(template.slice(from));
  return parts;
}

/** Problem of a template. */
export type TemplateProblem = { readonly placeholder: string } | 'json-only' | 'syntax';

/**
 * Returns the problem of a template, or `undefined` if it is valid: a JSON value, or strings in quotes, one on each line.
 *
 * Source: LocalStack, snapshots of its tests on AWS; cdk-preflight, rule `pf-events-input-transformer-json-var`, measured on AWS in
 * September 2026: `aws.events.event.json` is valid only in a template that is a JSON object.
 */
export function templateProblem(template: string, names: ReadonlySet<string>): TemplateProblem | undefined {
  const parts = parseTemplate(template);
  const variables = parts.flatMap((part) => (typeof part === 'string' ? [] : [part.variable]));
  const unknown = variables.find((variable) => !names.has(variable) && !RESERVED.has(variable));
  if (unknown !== undefined) return { placeholder: unknown };
  const sample = parts.map((part) => (typeof part === 'string' ? part : part.quoted ? 'x' : '0')).join('');
  const value = jsonOf(sample);
  if (variables.includes('aws.events.event.json') && (typeof value !== 'object' || value === null || Array.isArray(value)))
    return 'json-only';
  if (value !== undefined) return undefined;
  const lines = sample.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => typeof jsonOf(line) === 'string') ? undefined : 'syntax';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
