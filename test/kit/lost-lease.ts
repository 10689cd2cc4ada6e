/**
 * Requests to a server that may be without a lease. A server loses its lease for a moment if the machine is so busy that it cannot renew it in
 * two seconds. Meanwhile it refuses requests with 503 before they have an effect, so that clients can repeat them.
 */
import { until } from './until.ts';

/** Options of AWS's clients that repeat such requests. The test kit's clients do not, so that tests see each refusal. */
export const REPEATING = { maxAttempts: 10 } as const;

/** Sends a request until the server does not refuse it, for three minutes at most. */
export async function repeated<Reply extends { readonly status: number }>(
  send: () => Promise<Reply>,
  isRefused: (reply: Reply) => boolean = ({ status }) => status === 503,
): Promise<Reply> {
  let reply = await send();
  let isFirst = true;
  await until(
    async () => {
      if (!isFirst) reply = await send();
      isFirst = false;
      return !isRefused(reply);
    },
    () => `the server refuses all requests: ${JSON.stringify(reply)}`,
  );
  return reply;
}
