/** The unmodified clients of the AWS SDK for JavaScript, by service. The service names are from `model/services.ts`. */
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { clientPackageOf } from '../../tools/generate/clients.ts';
import { isSelected } from '../../tools/generate/selection.ts';

/** Exports of a client's package: its client, commands, errors and enums. */
export type ClientPackage = Readonly<Record<string, unknown>>;

/** Client class of a service, and the exports of its package. */
export interface SdkClient<Client> {
  readonly Client: new (settings: object) => Client;
  readonly from: ClientPackage;
}

/** Services whose client is installed. The generator merges these clients into the models. */
export const SDK_SERVICES: readonly ServiceName[] = SERVICE_NAMES.filter((service) => !isSelected(service));

const PACKAGES: ReadonlyMap<ServiceName, ClientPackage> = new Map(
  await Promise.all(SDK_SERVICES.map(async (service) => [service, (await import(clientPackageOf(service))) as ClientPackage] as const)),
);

/** Returns the client class of a service. `Client` is a type with the methods that the caller uses. */
export function sdkClient<Client>(service: ServiceName): SdkClient<Client> {
  const from = PACKAGES.get(service) as ClientPackage;
  const [name] = Object.keys(from).filter((each) => /^[A-Z]\w*Client$/.test(each));
  if (name === undefined) throw new Error(`${clientPackageOf(service)} exports no client`);
  return { Client: from[name] as SdkClient<Client>['Client'], from };
}
