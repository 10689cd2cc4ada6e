/** A process that calls operations with Debian's boto3. It ends after the tests of the file. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServerProcess } from '../kit/process.ts';

const SCRIPT = fileURLToPath(new URL('boto3_calls.py', import.meta.url));
/** Environment of clients that read no file and no address of a machine. */
export const OFFLINE = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };

/** Outcome of a call: an output, or the name and the message of an error. */
export interface Outcome {
  /** Absent for calls of paginators. */
  readonly status?: number;
  readonly output?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly message?: string;
}

/** A call: the name of the client and of its method, the input, and whether a paginator reads all pages. */
export interface Call {
  readonly service: 'chime' | 'chime-sdk-messaging';
  readonly method: string;
  readonly members: object;
  readonly paged?: boolean;
}

/** Starts the process. Returns a function that calls operations, one at a time. */
export function startBoto3({ endpoint, credentials }: ServerProcess): (call: Call) => Promise<Outcome> {
  const child = spawn('/usr/bin/python3', ['-W', 'ignore', SCRIPT], {
    env: { ...OFFLINE, ENDPOINT: endpoint, KEY: credentials.accessKeyId, SECRET: credentials.secretAccessKey },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  after(() => child.stdin.end());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (call) => {
    child.stdin.write(`${JSON.stringify({ paged: false, ...call })}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`boto3 ended in ${call.method}`);
    return JSON.parse(value) as Outcome;
  };
}
