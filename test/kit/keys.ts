/** Access keys of tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Access key, with a session token for temporary credentials. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Keys that no server knows, for requests that need no valid signature. */
export const UNKNOWN_KEYS: Keys = { accessKeyId: 'x', secretAccessKey: 'x' };

/** Access key of temporary credentials. */
export type SessionKeys = Keys & { readonly sessionToken: string };

interface AccessKeyOutput {
  readonly AccessKeyId?: string | undefined;
  readonly SecretAccessKey?: string | undefined;
}

/** Converts credentials from STS, or an access key from IAM. */
export function keysOf(credentials: (AccessKeyOutput & { readonly SessionToken: string | undefined }) | undefined): SessionKeys;
export function keysOf(accessKey: AccessKeyOutput | undefined): Keys;
export function keysOf(output: AccessKeyOutput & { readonly SessionToken?: string | undefined } = {}): Keys {
  return {
    accessKeyId: output.AccessKeyId as string,
    secretAccessKey: output.SecretAccessKey as string,
    ...(output.SessionToken !== undefined && { sessionToken: output.SessionToken }),
  };
}

/** Reads the access key of a profile from a server's data folder. The profile `belfry` has the administrator's key. */
export function profileKeys(dataFolder: string, profile = 'belfry'): Keys {
  const text = readFileSync(join(dataFolder, 'aws', 'credentials'), 'utf8');
  const section = text.slice(text.indexOf(`[${profile}]`));
  return {
    accessKeyId: /aws_access_key_id = (\S+)/.exec(section)?.[1] as string,
    secretAccessKey: /aws_secret_access_key = (\S+)/.exec(section)?.[1] as string,
  };
}
