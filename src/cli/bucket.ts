import { FlagError } from '#server/flags.ts';
import { commandServer, DATA, runCommand, type Subcommand } from './command.ts';

const USAGE = `belfry bucket remove-policy BUCKET   remove the policy of a bucket that denies everyone; recorded in the trail of its account

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)

The record has the removed policy. Afterwards, the policies of users and roles of the account decide again, and an administrator can set a
new policy.
`;

/** Runs `belfry bucket …`, the operator's commands for buckets. Runs on the server's machine. Resolves to the exit status. */
export function bucketCommand(args: readonly string[]): Promise<number> {
  return runCommand('bucket', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  'remove-policy': {
    flags: [DATA],
    operand: 'BUCKET',
    async run(parsed) {
      const [bucket, ...others] = parsed.positionals;
      if (bucket === undefined || others.length > 0) throw new FlagError('specify one bucket: BUCKET');
      await commandServer(parsed, { command: 'bucket remove-policy', bucket });
      console.log(`belfry bucket: removed the policy of the bucket '${bucket}'`);
      return 0;
    },
  },
};
