/** Reduces the model of a service to the operations that this server has. */
import type { OperationModel, ServiceModel, Shape } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';

/**
 * Operations of services of which this server intentionally has only a part. Services without a row keep all their operations.
 *
 * S3 is here for the log buckets of trails: AWS's clients create such a bucket, read it and manage it. Issue 12, part 4, lists the operations.
 */
const SELECTED: Partial<Readonly<Record<ServiceName, readonly string[]>>> = {
  s3: [
    ...['ListBuckets', 'CreateBucket', 'DeleteBucket', 'HeadBucket', 'GetBucketLocation', 'GetBucketVersioning'],
    ...['PutBucketPolicy', 'GetBucketPolicy', 'DeleteBucketPolicy'],
    ...['PutBucketLifecycleConfiguration', 'GetBucketLifecycleConfiguration', 'DeleteBucketLifecycle'],
    ...['ListObjects', 'ListObjectsV2', 'GetObject', 'HeadObject', 'PutObject', 'DeleteObject', 'DeleteObjects'],
    ...['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'AbortMultipartUpload'],
    ...['ListMultipartUploads', 'ListParts'],
  ],
};

/** Reports whether the server has only a part of a service. The generator does not merge the published client of such a service. */
export function isSelected(service: ServiceName): boolean {
  return SELECTED[service] !== undefined;
}

/**
 * Returns the model with only the selected operations and the shapes that they use. `unsupported` of the result has the routes of the others.
 *
 * @throws Error  the model does not have a selected operation
 */
export function selected(model: ServiceModel): ServiceModel {
  const names = SELECTED[model.service];
  if (names === undefined) return model;
  for (const name of names)
    if (model.operations[name] === undefined) throw new Error(`the model of ${model.service} has no operation ${name}`);
  const split = (isWanted: (operation: OperationModel) => boolean) => Object.entries(model.operations).filter(([, one]) => isWanted(one));
  const operations = Object.fromEntries(split(({ name }) => names.includes(name)));
  const unsupported = split(({ name, deprecated }) => !names.includes(name) && deprecated !== true);
  const wanted = reached(model, Object.values(operations));
  return {
    ...model,
    operations,
    unsupported: Object.fromEntries(unsupported.map(([name, { http }]) => [name, { method: http.method, uri: http.uri }])),
    shapes: Object.fromEntries(Object.entries(model.shapes).filter(([name, { error }]) => error !== undefined || wanted.has(name))),
  };
}

/** Returns the names of the shapes in the inputs, outputs and errors of operations. All errors of the service belong to them. */
function reached(model: ServiceModel, operations: readonly OperationModel[]): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = operations.flatMap(({ input, output }) => [input, output].filter((shape) => shape !== undefined));
  waiting.push(...Object.keys(model.shapes).filter((name) => model.shapes[name]?.error !== undefined));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const { members = {}, member, key } = model.shapes[name] as Shape;
    for (const use of [...Object.values(members), member, key]) if (use) waiting.push(use.shape);
  }
  return found;
}
