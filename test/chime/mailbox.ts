/** Reads the mail that servers wrote to the folders for mail. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { isMailFile, mailFolder } from '#delivery/outgoing/targets/mail-folder.ts';
import { until } from '../kit/until.ts';

/** Mail with its address and its text. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Returns all mail of servers, oldest first. */
export async function mailOf(...dataFolders: readonly string[]): Promise<readonly Mail[]> {
  const files = dataFolders
    .map(mailFolder)
    .filter(existsSync)
    .flatMap((folder) =>
      readdirSync(folder)
        .filter(isMailFile)
        .map((name) => ({ name, path: join(folder, name) })),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return await Promise.all(
    files.map(async ({ path }) => {
      const { to, subject = '', text = '' } = await PostalMime.parse(readFileSync(path));
      return { to: to?.[0]?.address ?? '', subject, text };
    }),
  );
}

/** Waits for the mail number `count` to an address. Resolves to the path of its link and the token in it. */
export async function linkTo(
  address: string,
  dataFolders: readonly string[],
  count = 1,
): Promise<{ readonly path: string; readonly token: string; readonly mail: Mail }> {
  const own = async () => (await mailOf(...dataFolders)).filter(({ to }) => to === address);
  await until(
    async () => (await own()).length >= count,
    () => `no mail ${count} to ${address}`,
  );
  const mail = (await own())[count - 1] ?? assert.fail('no mail');
  const [link = ''] = /https?:\/\/\S+/.exec(mail.text) ?? [];
  const url = new URL(link);
  return { path: url.pathname, token: url.hash.slice(1), mail };
}
