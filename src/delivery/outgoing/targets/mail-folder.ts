/** Folder for mail, if the operator has set no SMTP server. Each message is a file `.eml`, which `belfry chime mail` prints. */
import { chmodSync, mkdirSync } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolderAsync } from '#core/file-sync.ts';
import { mailOf, type SendMail } from './mail.ts';

export interface MailFolderParts {
  readonly dataFolder: string;
  readonly from: string;
  readonly limits?: MailFolderLimits;
}

/** Most files in the folder, and their bytes. The server deletes the oldest ones. */
export interface MailFolderLimits {
  readonly files: number;
  readonly bytes: number;
}

const LIMITS: MailFolderLimits = { files: 1_000, bytes: 16_777_216 };

/** Returns the folder for mail in a data folder. */
export const mailFolder = (dataFolder: string): string => join(dataFolder, 'mail');

/** Name of a file: time and ID of the message, so that names are in the order of the messages. */
const NAME = /^\d{8}T\d{9}Z-[A-Za-z0-9-]{1,64}\.eml$/;
export const isMailFile = (name: string): boolean => NAME.test(name);

/** Creates the sender. Only one message is written at a time. A message that is sent again replaces its file. */
export function mailFolderSender({ dataFolder, from, limits = LIMITS }: MailFolderParts): SendMail {
  const folder = mailFolder(dataFolder);
  let last: Promise<unknown> = Promise.resolve();
  return (message, target) => {
    const written = last.then(async () => {
      try {
        const { createTransport } = await import('nodemailer');
        const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
        const { message: content } = await transport.sendMail(mailOf(message, target, from));
        const time = new Date(message.createdAt).toISOString().replace(/[-:.]/g, '');
        await write(folder, `${time}-${message.id.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 64)}.eml`, content as Buffer);
        await deleteOldest(folder, limits);
        return { kind: 'sent' as const };
      } catch (error) {
        const { code = 'unknown error' } = error as { readonly code?: string };
        return { kind: 'retry' as const, code: 'TIMEOUT' as const, message: `the folder for mail cannot be written (${code})` };
      }
    });
    last = written;
    return written;
  };
}

async function write(folder: string, name: string, content: Buffer): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const unfinished = join(folder, `${name}.tmp`);
  await rm(unfinished, { force: true });
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, join(folder, name));
  await syncFolderAsync(folder);
}

async function deleteOldest(folder: string, limits: MailFolderLimits): Promise<void> {
  const names = (await readdir(folder)).filter(isMailFile).sort().reverse();
  let bytes = 0;
  for (const [i, name] of names.entries()) {
    bytes += (await stat(join(folder, name))).size;
    // The newest message stays, also if it is too large.
    if (i > 0 && (i >= limits.files || bytes > limits.bytes)) await rm(join(folder, name), { force: true });
  }
}
