/**
 * Runs a Lambda function in a process of its own, as Lambda does. The argument is the file of the function, and each message is an event.
 *
 * The functions of AWS's CDK library poll every 5 or 10 seconds. Here they poll ten times as often.
 */
import { createRequire } from 'node:module';

type Handler = (event: unknown, context: object) => Promise<unknown>;

const POLL_MS = 5_000;
const wait = globalThis.setTimeout;
globalThis.setTimeout = ((callback: (...args: readonly unknown[]) => void, ms = 0, ...args: readonly unknown[]) =>
  wait(callback, ms >= POLL_MS ? ms / 10 : ms, ...args)) as typeof setTimeout;

const { handler } = createRequire(import.meta.url)(process.argv[2] as string) as { readonly handler: Handler };

process.on('message', (event) => {
  handler(event, { logGroupName: '/aws/lambda/function' }).then(
    (response) => process.send?.({ response }),
    ({ name, message }: Error) => process.send?.({ error: `${name}: ${message}` }),
  );
});
