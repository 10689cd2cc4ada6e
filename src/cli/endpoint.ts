/** `belfry endpoint …`: endpoints of services to which the server sends messages. */
import { readFileSync } from 'node:fs';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import type { NamedEndpoint } from '#server/operator/endpoints.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';
import { printList } from './list.ts';

const ACCOUNT: Flag = { flag: '--account', valid: 'the ID of an account' };
const REGION: Flag = { flag: '--region', valid: 'a region such as us-east-1' };
const ACCESS_KEY_ID: Flag = { flag: '--access-key-id', valid: 'an access key ID' };
const TOKEN: Flag = { flag: '--token' };
const ALLOW_INTERNAL: Flag = { flag: '--allow-internal' };

const USAGE = `belfry endpoint add SERVICE URL [--account ID] [--region REGION] [--access-key-id ID] [--token] [--allow-internal]
                                        let the server send messages to a service: sqs, sns, lambda, kinesis, lex or push
belfry endpoint list                    print the endpoints
belfry endpoint remove SERVICE [--account ID] [--region REGION]   remove an endpoint

  --account ID        only messages of this account use the endpoint, also for targets of other accounts
  --region REGION     only targets in this region
  --access-key-id ID  sign requests with this access key; the secret access key is read from standard input
  --token             send the bearer token that is read from standard input (push only)
  --allow-internal    let the endpoint have an internal address, and use http
  --data FOLDER       the data folder of the running server (default: BELFRY_DATA, or ./data)

The most specific endpoint is used: that of the account and region, of the account, of the region, of all. Without --account, a
message reaches only targets of its own account.
`;

/** Runs `belfry endpoint …`. Resolves to the exit status. */
export function endpointCommand(args: readonly string[]): Promise<number> {
  return runCommand('endpoint', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  add: {
    flags: [ACCOUNT, REGION, ACCESS_KEY_ID, TOKEN, ALLOW_INTERNAL, DATA],
    operand: 'SERVICE URL',
    async run(parsed) {
      const [service, url, ...others] = parsed.positionals;
      if (service === undefined || url === undefined || others.length > 0) throw new FlagError('the arguments must be SERVICE URL');
      const { values } = parsed;
      const accessKeyId = values.get(ACCESS_KEY_ID.flag);
      const hasSecret = accessKeyId !== undefined || values.has(TOKEN.flag);
      await commandServer(parsed, {
        command: 'endpoint add',
        endpoint: {
          ...named(parsed, service),
          url,
          allowInternal: values.has(ALLOW_INTERNAL.flag),
          ...(accessKeyId !== undefined && { accessKeyId }),
          ...(hasSecret && { secret: readFileSync(0, 'utf8').trim() }),
        },
      });
      console.log(`belfry endpoint: the server now sends messages for '${service}' to the endpoint`);
      return 0;
    },
  },
  list: {
    flags: [DATA],
    async run(parsed) {
      const { endpoints = [] } = await commandServer(parsed, { command: 'endpoint list' });
      printList(
        ['SERVICE', 'ACCOUNT ID', 'REGION', 'URL', 'SECRET', 'INTERNAL ADDRESSES'],
        endpoints.map(({ service, accountId = 'all', region = 'all', url, accessKeyId, hasSecret, allowInternal }) => {
          const secret = accessKeyId ?? (hasSecret ? 'bearer token' : '');
          return [service, accountId, region, url, secret, allowInternal ? 'allowed' : ''];
        }),
      );
      return 0;
    },
  },
  remove: {
    flags: [ACCOUNT, REGION, DATA],
    operand: 'SERVICE',
    async run(parsed) {
      const [service, ...others] = parsed.positionals;
      if (service === undefined || others.length > 0) throw new FlagError('the argument must be SERVICE');
      await commandServer(parsed, { command: 'endpoint remove', endpoint: named(parsed, service) });
      console.log(`belfry endpoint: removed the endpoint for '${service}'`);
      return 0;
    },
  },
};

function named({ values }: ParsedFlags, service: string): NamedEndpoint {
  const [accountId, region] = [values.get(ACCOUNT.flag), values.get(REGION.flag)];
  return { service, ...(accountId !== undefined && { accountId }), ...(region !== undefined && { region }) };
}
