import assert from 'node:assert/strict';
import { startTestServer } from '../kit/server.ts';
import { recordRequests } from './record-requests.ts';
import { assertAnsweredMeanwhile, type Figure, startOtherCaller, type Workload } from './workload.ts';

/** Requests that run in turns, during which the server must answer other callers. */
const LONG: readonly string[] = ['GetMetricData, 490 expressions on 10 metrics', 'PutLogEvents, a large array for 67 filters'];

/** HTTP statuses of requests that are refused: invalid, too large, throttled. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 429]);

export const worstRecords: Workload = {
  name: 'worst metrics and logs',

  async run({ seconds }) {
    const server = await startTestServer();
    const requests = await recordRequests(server.client(), { pointRequests: 1 });
    const other = await startOtherCaller(server.client());
    const until = Date.now() + seconds * 1000;
    let longestMs = 0;
    let slowest = '';
    let sent = 0;
    const isLong = ({ name }: { readonly name: string }) => LONG.includes(name);
    const sorted = [...requests.filter(isLong), ...requests.filter((request) => !isLong(request))];
    for (const [i, request] of sorted.entries()) {
      if (i >= LONG.length && Date.now() >= until) break;
      const attack = async (): Promise<number> => {
        const { longestMs: delay, calls } = await other.during(() => answered(request.name, request.send));
        sent += 1;
        if (delay > longestMs) [longestMs, slowest] = [delay, request.name];
        return calls;
      };
      if (isLong(request)) await assertAnsweredMeanwhile(request.name, attack);
      else await attack();
    }
    assert.ok(sent >= LONG.length);
    other.stop();
    await server.stop();
    const figures: Figure[] = [
      { what: `longest delay of another caller (${slowest})`, value: longestMs, unit: 'ms' },
      { what: 'hostile requests sent', value: sent, unit: 'count' },
    ];
    return figures;
  },
};

/** Sends a request. It must succeed or be refused. */
async function answered(name: string, send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (error) {
    const { $metadata, message } = error as { readonly $metadata?: { readonly httpStatusCode?: number }; readonly message: string };
    assert.ok(REFUSED.has($metadata?.httpStatusCode ?? 0), `${name}: ${$metadata?.httpStatusCode} ${message.slice(0, 200)}`);
  }
}
