/** Makes a string or number that means something a type of its own; only the parser of that meaning makes one. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };
