/** Type of the setting that names the witnesses of the transparency log. */
import { FormatError, parseVkey } from '#tlog/note-key.ts';
import type { SettingType } from './setting-types.ts';

/** A witness: its public key, and the URL below which it has its paths. */
export interface WitnessSetting {
  readonly vkey: string;
  readonly url: string;
}

const WITNESSES_MAX = 8;

/** Returns the witness of a text `VKEY@URL`, or undefined if the text is invalid. */
export function readWitness(text: string): WitnessSetting | undefined {
  const at = text.search(/@https?:\/\//);
  const [vkey, address] = [text.slice(0, at), text.slice(at + 1)];
  const url = at < 1 ? null : URL.parse(address);
  if (url === null || `${url.search}${url.hash}${url.username}${url.password}` !== '') return undefined;
  try {
    return parseVkey(vkey).type === 'witness' ? { vkey, url: address.replace(/\/$/, '') } : undefined;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Witnesses, separated by commas. Each has another key. */
export const witnesses: SettingType<readonly WitnessSetting[]> = {
  valid: `at most ${WITNESSES_MAX} witnesses VKEY@URL, separated by commas, with the vkey that the witness prints`,
  read(text) {
    const texts = text.split(',').filter((each) => each !== '');
    const read = texts.map(readWitness);
    const isValid = texts.length <= WITNESSES_MAX && read.every((each) => each !== undefined);
    const keys = new Set(read.map((each) => each?.vkey));
    return isValid && keys.size === read.length ? (read as readonly WitnessSetting[]) : undefined;
  },
};
