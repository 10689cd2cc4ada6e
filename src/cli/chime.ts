/** `belfry chime …`: tasks of the administrators of Amazon Chime. */
import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMailFile, mailFolder } from '#delivery/outgoing/targets/mail-folder.ts';
import { FlagError } from '#server/flags.ts';
import { CHIME_IMPORT } from './chime-import.ts';
import { ownOperationCommands } from './chime-operations.ts';
import { commandServer, DATA, dataFolderOf, runCommand, type Subcommand } from './command.ts';
import { printList } from './list.ts';

const usageWith = (
  operations: readonly string[],
) => `belfry chime mail [FILE]   list the mail in the data folder, oldest first, or print one file
belfry chime import FILE --account-id ID [--apply]   check a file of users or rooms, or import it
belfry chime disabled-accounts   list the accounts that were deleted in the last 90 days
belfry chime restore-account ID   restore such an account; recorded in the trail of its AWS account
belfry chime OPERATION --MEMBER VALUE … [--endpoint URL] [--profile NAME]   call an operation that this server adds to Amazon Chime

  --data FOLDER    the data folder of a server (default: BELFRY_DATA, or ./data)
  --endpoint URL   the server (default: AWS_ENDPOINT_URL_CHIME, AWS_ENDPOINT_URL, or endpoint_url in the profile)
  --profile NAME   the profile of the AWS CLI with the credentials (default: as the AWS CLI finds them)

  --account-id ID  for import: the account of Amazon Chime
  --apply          for import: import the lines that have no error. Without it, nothing is changed

An imported file is the JSON that 'aws chime list-users' prints, or CSV whose first line names the columns:

  email,display_name,license,user_type,user_id     users: only email is required. Each gets a mail with an invitation and a new PIN
  room,email,role                                  rooms and their members, who are registered already: only room is required

Lines with an error are printed and not imported, and the exit status is 1. The same file can be imported again: users, rooms and members that
exist do not change.

The server writes mail to its data folder if BELFRY_SMTP_FILE is not set.
'belfry chime OPERATION --help' lists the members of an operation, and docs/own-operations.md describes them. Names are in kebab-case,
such as 'add-domain --account-id ID --domain-name example.com'. Separate the values of a list by commas. A list of structures is JSON.
'-' reads a value from standard input, and 'file://PATH' from a file. The operations are:

${operations.map((name) => `  ${name}`).join('\n')}

Call the operations of AWS, such as 'aws chime list-users', with the AWS CLI.
`;

/** Longest file that the command reads, in bytes. */
const FILE_MAX_BYTES = 1_048_576;

/** Runs `belfry chime …`. Resolves to the exit status. */
export function chimeCommand(args: readonly string[]): Promise<number> {
  const own = ownOperationCommands();
  const commands = { mail: MAIL, import: CHIME_IMPORT, ...DISABLED_ACCOUNTS, ...own };
  return runCommand('chime', usageWith(Object.keys(own)), commands, args);
}

const MAIL: Subcommand = {
  flags: [DATA],
  operand: 'FILE',
  async run(parsed) {
    const [file, ...others] = parsed.positionals;
    if (others.length > 0) throw new FlagError('the argument must be one FILE');
    const folder = mailFolder(dataFolderOf(parsed));
    if (file === undefined) {
      const rows: string[][] = [];
      for (const name of filesIn(folder)) {
        const { to, subject } = await readMail(join(folder, name));
        rows.push([name, to, subject]);
      }
      printList(['FILE', 'TO', 'SUBJECT'], rows);
      return 0;
    }
    if (!filesIn(folder).includes(file)) throw new Error(`unknown file '${file}' ('belfry chime mail' lists the files)`);
    const { date, from, to, subject, text } = await readMail(join(folder, file));
    console.log(`Date: ${date}\nFrom: ${from}\nTo: ${to}\nSubject: ${subject}\n\n${text}`);
    return 0;
  },
};

const DISABLED_ACCOUNTS: Readonly<Record<string, Subcommand>> = {
  'disabled-accounts': {
    flags: [DATA],
    async run(parsed) {
      const { disabledChimeAccounts = [] } = await commandServer(parsed, { command: 'chime disabled-accounts' });
      const isoOf = (at: number) => new Date(at).toISOString();
      printList(
        ['ACCOUNT ID', 'CHIME ACCOUNT ID', 'DISABLED', 'DELETED', 'NAME'],
        disabledChimeAccounts.map(({ accountId, chimeAccountId, name, disabledAt, deletedAt }) => [
          ...[accountId, chimeAccountId, isoOf(disabledAt), isoOf(deletedAt), JSON.stringify(name)],
        ]),
      );
      return 0;
    },
  },
  'restore-account': {
    flags: [DATA],
    operand: 'ID',
    async run(parsed) {
      const [chimeAccountId, ...others] = parsed.positionals;
      if (chimeAccountId === undefined || others.length > 0) throw new FlagError('specify one account of Amazon Chime: ID');
      await commandServer(parsed, { command: 'chime restore-account', chimeAccountId });
      console.log(`belfry chime: restored the account '${chimeAccountId}'`);
      return 0;
    },
  },
};

/** @throws Error  the folder does not exist */
function filesIn(folder: string): readonly string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`there is no mail in '${folder}'`);
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && isMailFile(entry.name))
    .map(({ name }) => name)
    .sort();
}

async function readMail(path: string) {
  if (lstatSync(path).size > FILE_MAX_BYTES) throw new Error(`'${path}' has more than ${FILE_MAX_BYTES} bytes`);
  const { default: PostalMime } = await import('postal-mime');
  const { date = '', from, to = [], subject = '', text = '' } = await PostalMime.parse(readFileSync(path));
  return { date, from: from?.address ?? '', to: to.map(({ address }) => address).join(', '), subject, text: text.trimEnd() };
}
