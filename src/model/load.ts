import { readFileSync } from 'node:fs';
import type { ServiceModel, ServiceName } from './model.ts';

const LOADED = new Map<ServiceName, ServiceModel>();

/**
 * The model of a service, read from its file on first use: starting the server costs nothing for services nobody calls.
 * Operations and shapes are records without a prototype, so that `model.operations['constructor']` is what it seems: absent.
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
