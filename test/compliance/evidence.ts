/** Calls that evidence of configuration rules names, with the unmodified clients of the AWS SDK. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Evidence } from '#services/kit/configuration-rule.ts';
import { until } from '../kit/until.ts';

const require = createRequire(import.meta.url);
/** JMESPath of the AWS SDK for JavaScript v2. */
const { search } = createRequire(require.resolve('aws-sdk'))('jmespath') as {
  readonly search: (data: unknown, expression: string) => unknown;
};

interface Client {
  send(command: unknown): Promise<object>;
}

/** Clients by the first part of an action. */
const CLIENTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  iam: await import('@aws-sdk/client-iam'),
  cloudtrail: await import('@aws-sdk/client-cloudtrail'),
  s3: await import('@aws-sdk/client-s3'),
  chime: await import('@aws-sdk/client-chime'),
  organizations: await import('@aws-sdk/client-organizations'),
};

/** Returns the function that makes the call of an evidence and returns the value that an auditor reads, as text. */
export function auditor(settings: object) {
  async function call(action: string, input: object): Promise<object> {
    const [prefix = '', operation = ''] = action.split(':');
    const from = CLIENTS[prefix] ?? {};
    const Client = Object.entries(from).find(([name]) => /^[A-Z]\w+Client$/.test(name))?.[1] as new (settings: object) => Client;
    const Command = from[`${operation}Command`] as new (input: object) => object;
    try {
      return await new Client({ ...settings, forcePathStyle: true }).send(new Command(input));
    } catch (error) {
      const { Code, name } = error as { readonly Code?: string; readonly name: string };
      return { Error: { Code: Code ?? name } };
    }
  }

  async function credentialReport(): Promise<object> {
    await until(
      async () => search(await call('iam:GenerateCredentialReport', {}), 'State') === 'COMPLETE',
      () => 'the report is complete',
    );
    const { Content } = (await call('iam:GetCredentialReport', {})) as { readonly Content: Uint8Array };
    const [columns = [], ...lines] = Buffer.from(Content)
      .toString()
      .split('\n')
      .map((line) => [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain));
    return { Content: lines.map((line) => Object.fromEntries(columns.map((column, i) => [column ?? '', line[i]]))) };
  }

  return async ({ action, input, member }: Evidence): Promise<string> => {
    const output = action === 'iam:GetCredentialReport' ? await credentialReport() : await call(action, input);
    const value = search(JSON.parse(JSON.stringify(output)), member) ?? '';
    const text = String(value).replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{3}Z$/, '$1Z');
    return text.length <= 256 ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
  };
}
