import type { DashboardValidationMessage } from '#model/generated/cloudwatch.ts';

/** Maximum size of a body in bytes. Assumed: the number. */
const BODY_MAX = 256 * 1_024;
/** Source: CloudWatch quotas: 500 widgets on a dashboard. */
const WIDGETS_MAX = 500;
/** Maximum number of problems in a response. */
const PROBLEMS_MAX = 20;

/** Source: CloudWatch API Reference, "Dashboard body structure and syntax", type. */
const TYPES: readonly unknown[] = ['metric', 'text', 'log', 'alarm', 'explorer', 'custom', 'trace'];
/** Members with their least and greatest value. Source: the same page: x from 0 to 23, width from 1 to 24, height from 1 to 1,000. */
const PLACES = [
  ['x', 0, 23],
  ['y', 0, Number.MAX_SAFE_INTEGER],
  ['width', 1, 24],
  ['height', 1, 1_000],
] as const;

/**
 * Returns the problems of a dashboard's body, at most 20. Checks that it is JSON, has widgets of known types, and that these have
 * properties and a place on the grid. Accepts all properties, because no part of the server uses them.
 *
 * Assumed: the wording of the messages.
 */
export function problemsOf(body: string): readonly DashboardValidationMessage[] {
  if (Buffer.byteLength(body) > BODY_MAX) return [problem('/', `Should NOT be longer than ${BODY_MAX} bytes`)];
  const parsed = parsedObject(body);
  if (parsed === undefined) return [problem('/', 'The field DashboardBody must be a valid JSON object')];
  const { widgets } = parsed;
  if (widgets === undefined) return [problem('/', "Should have required property 'widgets'")];
  if (!Array.isArray(widgets)) return [problem('/widgets', 'Should be array')];
  if (widgets.length > WIDGETS_MAX) return [problem('/widgets', `Should NOT have more than ${WIDGETS_MAX} items`)];
  return widgets.flatMap((widget: unknown, i) => widgetProblems(widget, `/widgets/${i}`)).slice(0, PROBLEMS_MAX);
}

function widgetProblems(widget: unknown, path: string): readonly DashboardValidationMessage[] {
  if (!isObject(widget)) return [problem(path, 'Should be object')];
  const problems: DashboardValidationMessage[] = [];
  for (const name of ['type', 'properties'])
    if (widget[name] === undefined) problems.push(problem(path, `Should have required property '${name}'`));
  if (widget['type'] !== undefined && !TYPES.includes(widget['type']))
    problems.push(problem(`${path}/type`, 'Should be equal to one of the allowed values'));
  if (widget['properties'] !== undefined && !isObject(widget['properties']))
    problems.push(problem(`${path}/properties`, 'Should be object'));
  for (const [name, least, most] of PLACES) {
    const value = widget[name];
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= least && (value as number) <= most))
      problems.push(problem(`${path}/${name}`, `Should be an integer between ${least} and ${most}`));
  }
  return problems;
}

function parsedObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(DataPath: string, Message: string): DashboardValidationMessage {
  return { DataPath, Message };
}
