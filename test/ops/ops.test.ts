/** The alert rules and the dashboard in `ops`, checked by Prometheus's own tool and against the metrics of a running server. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { newFolder } from '../kit/folder.ts';
import { readMetrics } from '../kit/metrics.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

const RULES = readFileSync('ops/alert-rules.yml', 'utf8');
const CASES = readFileSync('ops/alert-rules.test.yml', 'utf8');
const DASHBOARD = JSON.parse(readFileSync('ops/grafana-dashboard.json', 'utf8')) as Dashboard;
const folder = newFolder('ops');

function promtool(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

/** Returns the expressions of the dashboard, with values for the variables of Grafana. */
function expressions(): readonly (readonly [title: string, expression: string])[] {
  return DASHBOARD.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [title, expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*')] as const),
  );
}

test('ops: the alert rules are valid, and each has a case that raises it and one that does not', () => {
  promtool('check', 'rules', 'ops/alert-rules.yml');
  promtool('test', 'rules', 'ops/alert-rules.test.yml');
  const alerts = [...RULES.matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
  const titles = [...CASES.matchAll(/- name: '(.*)'/g)].map(([, title]) => title);
  assert.ok(alerts.length >= 10);
  assert.deepEqual(
    titles,
    alerts.flatMap((name) => [`${name}: raised`, `${name}: not raised`]),
  );
});

test('ops: every expression of the dashboard is valid', () => {
  const all = expressions();
  assert.ok(all.length >= 25 && all.every(([, expression]) => !expression.includes('$')));
  const rules = all.map(([title, expr], i) => ({ record: `dashboard:${i}`, expr, labels: { title } }));
  // JSON is valid YAML.
  const file = join(folder, 'dashboard.yml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  promtool('check', 'rules', file);
});

/** Labels that Prometheus adds to each series. */
const LABELS_OF_PROMETHEUS = ['instance', 'job'];
/** Metric that Prometheus adds. The rules use no other one that the server does not have. */
const METRIC_OF_PROMETHEUS = 'up';

test('ops: the server has every metric and label that the rules and the dashboard use', async () => {
  const server = await startTestServer({ BELFRY_METRICS: '127.0.0.1:0' });
  await new STSClient(server.client()).send(new GetCallerIdentityCommand({}));
  let series: readonly string[] = [];
  await until(
    async () => (series = [...(await readMetrics(server.metricsUrl)).keys()]).some((name) => name.startsWith('belfry_requests_total')),
    () => series.join('\n'),
  );
  const metrics = new Set([...series.map((name) => name.replace(/\{.*/, '')), METRIC_OF_PROMETHEUS]);
  const labels = new Set([
    ...series.flatMap((name) => [...name.matchAll(/[{,](\w+)="/g)].map(([, label]) => label)),
    ...LABELS_OF_PROMETHEUS,
  ]);
  const ruleExpressions = [...RULES.matchAll(/expr: \|?((?:.*\n)(?: {10,}.*\n)*)/g)].map(([, expr]) => expr as string);
  const variables = DASHBOARD.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query));
  const used = [...ruleExpressions, ...expressions().map(([, expr]) => expr), ...variables];
  const usedMetrics = used.flatMap((expr) => expr.match(/\b(?:belfry|process)_\w+|\bup\b/g) ?? []);
  const usedLabels = used.flatMap((expr) => [
    ...[...expr.matchAll(/[{,]\s*(\w+)\s*(?:=~|!=|!~|=)/g)].map(([, label]) => label as string),
    ...[...expr.matchAll(/(?:by|ignoring|on|without) \(([^)]*)\)/g)].flatMap(([, list]) => (list as string).split(/,\s*/)),
  ]);
  assert.ok(ruleExpressions.length >= 10 && usedMetrics.length > 40 && usedLabels.length > 40);
  assert.deepEqual(
    [...new Set(usedMetrics)].filter((name) => !metrics.has(name)),
    [],
  );
  assert.deepEqual(
    [...new Set(usedLabels)].filter((label) => !labels.has(label)),
    [],
  );
  // Each metric of the server is on the dashboard or in a rule, except those of histograms, which are used by one of their series.
  const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
  const known = new Set(usedMetrics.map(base));
  assert.deepEqual(
    [...new Set([...metrics].map(base))].filter((name) => !known.has(name)),
    [],
  );
});
