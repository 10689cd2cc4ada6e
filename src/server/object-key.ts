/** File with the access key of the object service. */
import { readFileSync } from 'node:fs';
import { requirePrivate } from '#core/file-access.ts';

/** Access key of the object service. */
export interface ObjectKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Longest ID and secret. Assumed: longer ones are mistakes. */
const TEXT_MAX = 2_048;

/**
 * Reads the file, which has the form of the credentials file of AWS's clients with one profile:
 *
 *     aws_access_key_id = AKIA…
 *     aws_secret_access_key = …
 *
 * @throws Error  the file cannot be read, other users can read it, or it does not have exactly one ID and one secret. No message contains a
 *   part of the file
 */
export function readObjectKey(path: string): ObjectKey {
  requirePrivate(path, 'secret');
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim());
  const onlyValue = (name: string): string => {
    const values = lines
      .map((line) => line.split(/=(.*)/s))
      .filter(([key = '']) => key.trim() === name)
      .map(([, value = '']) => value.trim());
    const [value = ''] = values;
    if (values.length !== 1 || value.length > TEXT_MAX || !/^[\x21-\x7e]+$/.test(value))
      throw new Error(`'${path}' must contain one line '${name} = …'`);
    return value;
  };
  return { accessKeyId: onlyValue('aws_access_key_id'), secretAccessKey: onlyValue('aws_secret_access_key') };
}
