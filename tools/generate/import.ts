/** Imports a published model of botocore into `models/`: removes its documentation. */
import { SERVICE_NAMES, serviceRow } from '#model/services.ts';
import type { Json } from './published.ts';

interface Metadata {
  readonly apiVersion: string;
  readonly endpointPrefix: string;
  readonly protocols?: readonly string[];
  readonly serviceFullName: string;
  readonly signingName?: string;
  readonly targetPrefix?: string;
}

/**
 * Returns the file for a published model (`service-2.json`): its name in `models/`, and its text without documentation.
 *
 * @throws Error  the model has no list of protocols · `SERVICES` has no row for the model
 */
export function importedModel(published: string): { readonly file: string; readonly text: string } {
  const model = JSON.parse(published) as { readonly metadata: Metadata };
  const { metadata } = model;
  if (metadata.protocols === undefined) throw new Error("the model has no 'protocols' in its metadata; import it from a newer botocore");
  const service = SERVICE_NAMES.find((name) => {
    const { hostPrefix, apiVersion } = serviceRow(name);
    return hostPrefix === metadata.endpointPrefix && apiVersion === metadata.apiVersion;
  });
  if (service === undefined) throw new Error(`add this row to SERVICES in src/model/services.ts:\n\n${rowFor(metadata)}`);
  return {
    file: `${service}-${metadata.apiVersion}.json`,
    text: JSON.stringify(model, (key, value: Json) => (key === 'documentation' && typeof value === 'string' ? undefined : value)),
  };
}

/** Returns the row of `SERVICES` for a model, and a line that names the members to check. */
function rowFor({ apiVersion, endpointPrefix, protocols = [], serviceFullName, signingName = endpointPrefix, targetPrefix }: Metadata) {
  const target = targetPrefix === undefined ? '' : ` targetPrefix: '${targetPrefix}',`;
  return [
    `  '<service>': {`,
    `    title: '${serviceFullName}', apiVersion: '${apiVersion}', protocols: [${protocols.map((name) => `'${name}'`).join(', ')}],${target}`,
    `    signingName: '${signingName}', hostPrefix: '${endpointPrefix}',`,
    `    actionPrefix: '${signingName}', eventSource: '${endpointPrefix}.amazonaws.com', global: false,`,
    '  },',
    '',
    `The model does not have 'title', 'actionPrefix', 'eventSource' and 'global'. Check them: see "How to add a service" in CONTRIBUTING.md`,
  ].join('\n');
}
