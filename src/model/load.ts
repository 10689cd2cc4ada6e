import { readFileSync } from 'node:fs';
import type { ServiceModel } from './model.ts';
import type { ServiceName } from './services.ts';

const LOADED = new Map<ServiceName, ServiceModel>();

/**
 * Returns the model of a service. Reads the file on the first call, so that unused services do not slow down the start.
 *
 * Operations and shapes have no prototype, so that `model.operations['constructor']` is undefined.
 */
export function loadModel(service: ServiceName): ServiceModel {
  const loaded = LOADED.get(service);
  if (loaded) return loaded;
  const read = JSON.parse(readFileSync(new URL(`./generated/${service}.json`, import.meta.url), 'utf8')) as ServiceModel;
  const { operations, removed = {}, unsupported, shapes } = read;
  const model = {
    ...read,
    operations: withoutPrototype(operations),
    removed: withoutPrototype(removed),
    ...(unsupported !== undefined && { unsupported: withoutPrototype(unsupported) }),
    shapes: withoutPrototype(shapes),
  };
  LOADED.set(service, model);
  return model;
}

let legacy: ServiceModel | undefined;

/**
 * Returns the model of the operations that AWS removed from `chime` and that another service of Chime has today. It
 * has their old inputs and outputs. The other removed operations have no model, because nothing implements them.
 */
export function loadLegacyModel(): ServiceModel {
  if (legacy !== undefined) return legacy;
  const read = JSON.parse(readFileSync(new URL('./generated/chime-legacy.json', import.meta.url), 'utf8')) as ServiceModel;
  legacy = { ...read, operations: withoutPrototype(read.operations), removed: withoutPrototype({}), shapes: withoutPrototype(read.shapes) };
  return legacy;
}

/**
 * Returns the model that describes a call of an operation: with `legacyChime`, the model of the removed operations for
 * an operation of `chime` that has a successor. Otherwise the model of the service.
 */
export function modelOfOperation(service: ServiceName, operation: string, legacyChime: boolean): ServiceModel {
  if (!legacyChime || service !== 'chime') return loadModel(service);
  const old = loadLegacyModel();
  return operation in old.operations ? old : loadModel(service);
}

function withoutPrototype<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, record);
}
