/** The input that a target receives for an event. */
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Target } from '#model/generated/events.ts';
import { parseTemplate } from './input-template.ts';
import { parseJsonPath, valueAt } from './json-path.ts';

/** An event: its JSON text, and the parsed text. */
export interface RoutedEvent {
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Maximum number of characters of an input. No target accepts more. Assumed: 1 MiB, the largest message of SQS. */
export const INPUT_MAX = 2 ** 20;

/** Error of a transformed input with more than `INPUT_MAX` characters. It cannot be delivered, so retries are useless. */
export class TargetInputTooLarge extends Error {
  constructor(targetId: string) {
    super(`the transformed input of target '${targetId}' has more than ${INPUT_MAX} characters`);
    this.name = 'TargetInputTooLarge';
  }
}

/**
 * Returns the body that a target receives for an event: the event, `Input`, the part that `InputPath` selects, or the filled template. The
 * work is limited by the size of the event and `INPUT_MAX`.
 *
 * - A variable outside quotes becomes JSON. A variable without a value becomes `""`.
 * - A variable inside quotes becomes its string, without escaping. Objects and arrays lose their quotes. A variable without a value is empty.
 *
 * Source: LocalStack, snapshots of its tests on AWS; EventBridge User Guide, "Input transformation".
 * Assumed: an InputPath without a value delivers `null`.
 * @throws TargetInputTooLarge
 */
export function targetInput(
  target: Pick<Target, 'Id' | 'Input' | 'InputPath' | 'InputTransformer'>,
  event: RoutedEvent,
  rule: { readonly arn: string; readonly name: string },
  ingestionTime: Instant,
): string {
  const { Id, Input, InputPath, InputTransformer } = target;
  if (Input !== undefined) return Input;
  if (InputPath !== undefined) return InputPath === '$' ? event.text : JSON.stringify(selected(event, InputPath) ?? null);
  if (InputTransformer === undefined) return event.text;

  const { InputPathsMap = {}, InputTemplate } = InputTransformer;
  const filled = new Map<string, string>();
  let size = 0;
  const pieces: string[] = [];
  for (const part of parseTemplate(InputTemplate)) {
    let piece = part as string;
    if (typeof part !== 'string') {
      const key = `${part.quoted ? '"' : ''}${part.variable}`;
      piece = filled.get(key) ?? fill(part.variable, part.quoted);
      filled.set(key, piece);
    }
    size += piece.length;
    if (size > INPUT_MAX) throw new TargetInputTooLarge(Id);
    pieces.push(piece);
  }
  return pieces.join('');

  function fill(variable: string, quoted: boolean): string {
    if (variable === 'aws.events.event.json') return quoted ? bare(event.value) : event.text;
    const path = Object.hasOwn(InputPathsMap, variable) ? InputPathsMap[variable] : undefined;
    const value = path === undefined ? reserved(variable) : selected(event, path);
    return quoted ? bare(value) : JSON.stringify(value ?? '');
  }

  function reserved(variable: string): unknown {
    if (variable === 'aws.events.rule-arn') return rule.arn;
    if (variable === 'aws.events.rule-name') return rule.name;
    if (variable === 'aws.events.event.ingestion-time') return isoSeconds(ingestionTime);
    const { id, account, 'detail-type': detailType, time, source, region, resources, version } = event.value;
    return { id, account, detailType, time, source, region, resources, version };
  }
}

function selected(event: RoutedEvent, path: string): unknown {
  const steps = parseJsonPath(path);
  return steps && valueAt(event.value, steps);
}

/** Returns a value as it appears inside quotes. */
function bare(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return JSON.stringify(value).replaceAll('"', '');
}
