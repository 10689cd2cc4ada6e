import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';

/** A running server of one test file, as a first start makes it. */
export interface TestServer {
  /** `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** `https://127.0.0.1:40124`, with the certificate of `caFile`. */
  readonly httpsEndpoint: string;
  readonly caFile: string;
  readonly dataFolder: string;
  readonly accountId: string;
  /** The administrator's. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What every SDK client is made with: `new IAMClient(server.client())`. */
  client(credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
    maxAttempts: number;
  };
  stop(): Promise<void>;
}

/**
 * Starts a server on free ports with a new data folder (or the one given), and stops it after the tests of the file.
 * `environment` holds further `BELFRY_…` settings.
 */
export async function startTestServer(
  environment: Readonly<Record<string, string>> = {},
  dataFolder = mkdtempSync(join(tmpdir(), 'belfry-test-')),
): Promise<TestServer> {
  const settings = readSettings([], {
    BELFRY_DATA: dataFolder,
    BELFRY_HTTP: '127.0.0.1:0',
    BELFRY_HTTPS: '127.0.0.1:0',
    BELFRY_LOOKUPS_PER_SECOND: '0',
    // Tests send many refused requests from one address and look for each record.
    BELFRY_UNPROVEN_RECORDS: '100000',
    ...environment,
  });
  const { ready, stop } = await startServer(settings, (why) => {
    throw new Error(`the server died: ${why}`);
  });
  const [http, https] = ready.listeners;
  const profile = readFileSync(join(dataFolder, 'aws', 'credentials'), 'utf8');
  const credentials = {
    accessKeyId: /aws_access_key_id = (\S+)/.exec(profile)?.[1] as string,
    secretAccessKey: /aws_secret_access_key = (\S+)/.exec(profile)?.[1] as string,
  };
  let stopped = false;
  const stopOnce = async () => {
    if (stopped) return;
    stopped = true;
    await stop();
  };
  after(async () => {
    await stopOnce();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  const endpoint = http?.endpoint as string;
  return {
    endpoint,
    httpsEndpoint: https?.endpoint as string,
    caFile: join(dataFolder, 'tls', 'ca.pem'),
    dataFolder,
    accountId: ready.core.firstStart?.accountId ?? '',
    credentials,
    client: (given = credentials) => ({ endpoint, region: 'us-east-1', credentials: given, maxAttempts: 1 }),
    stop: stopOnce,
  };
}
