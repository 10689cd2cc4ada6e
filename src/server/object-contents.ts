/** Selects where a server stores the contents of objects: in its data folder, in an object service, or nowhere. */
import { AwsError } from '#core/aws-error.ts';
import type { Contents } from './core/contents.ts';
import { log } from './log.ts';
import { type Bodies, listObjectFiles, openObjectFiles } from './object-files.ts';
import { readObjectKey } from './object-key.ts';
import { openObjectService } from './object-service.ts';
import { isPostgres } from './setting-types.ts';
import type { Settings } from './settings.ts';

/**
 * Opens the contents that the settings select. Several servers can share a database in PostgreSQL, and no server can read the data
 * folder of another. So with PostgreSQL, a service stores the contents. Returns undefined if the operator configured no service.
 *
 * `folder` returns the folder of this database in the service.
 */
export function openContents(settings: Settings, folder: () => Promise<string>): Contents | undefined {
  const { database, dataFolder, objectsEndpoint, objectsBucket, objectsKeyFile } = settings;
  if (!isPostgres(database)) {
    const files = openObjectFiles(dataFolder, settings.objectsReserveMebibytes * 2 ** 20);
    return { ...files, orphanAgeMs: 0, list: (before) => listObjectFiles(dataFolder, before) };
  }
  if (objectsEndpoint === undefined || objectsBucket === undefined || objectsKeyFile === undefined) return undefined;
  return openObjectService({
    service: { endpoint: objectsEndpoint, region: settings.objectsRegion, bucket: objectsBucket, prefix: settings.objectsPrefix },
    key: () => readObjectKey(objectsKeyFile),
    folder,
    report: log,
  });
}

/**
 * Contents of a server that has no place for them. The database can have buckets from a time when it had one, so every use fails. Otherwise
 * an upload would be lost for the other servers.
 */
export const NO_CONTENTS: Bodies = { create: unavailable, read: unavailable, remove: unavailable };

async function unavailable(): Promise<never> {
  throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
}
