import { join, resolve } from 'node:path';
import { FlagError } from '#server/flags.ts';
import { readSettings, SettingError } from '#server/settings.ts';
import { kamailioArguments, SIP_FILES } from '#server/sip/kamailio-config.ts';
import { writeProxyFolder } from '#server/sip/proxy-folder.ts';
import { DATA, dataFolderOf, runCommand, type Subcommand } from './command.ts';

const USAGE = `belfry sip config FOLDER   write the configuration of the SIP proxy (Kamailio) into FOLDER

  --data FOLDER   data folder of the server (default: BELFRY_DATA or ./data)

The command reads the same BELFRY_… variables as the server, and the token and certificate that the server wrote for
its decision listener (BELFRY_SIP_DECISIONS). FOLDER must be readable by the user of the SIP proxy only. If root runs the
command, the files belong to the owner of FOLDER. Run it again after a change of a BELFRY_SIP_… variable, of the
certificate or of Kamailio, and then restart the SIP proxy. Running calls survive a restart.
`;

/** Runs `belfry sip …`. Resolves to the exit status. */
export function sipCommand(args: readonly string[]): Promise<number> {
  return runCommand('sip', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  config: {
    flags: [DATA],
    operand: 'FOLDER',
    async run(parsed) {
      const [folder, ...others] = parsed.positionals;
      if (folder === undefined || others.length > 0) throw new FlagError('the argument must be FOLDER');
      const path = resolve(folder);
      process.umask(0o077);
      await writeProxyFolder(settingsOf(dataFolderOf(parsed)), path);
      console.log(`belfry sip: wrote '${join(path, SIP_FILES.config)}'`);
      console.log(`belfry sip: the SIP proxy runs with: kamailio ${kamailioArguments(path).join(' ')}`);
      return 0;
    },
  },
};

function settingsOf(dataFolder: string) {
  try {
    return readSettings([], { ...process.env, BELFRY_DATA: dataFolder });
  } catch (error) {
    throw error instanceof SettingError ? new FlagError(error.message) : error;
  }
}
