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
  const { operations, removed = {}, shapes } = read;
  const model = { ...read, operations: withoutPrototype(operations), removed: withoutPrototype(removed), shapes: withoutPrototype(shapes) };
  LOADED.set(service, model);
  return model;
}

function withoutPrototype<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, record);
}
