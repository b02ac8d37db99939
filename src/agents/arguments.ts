/** Looking into the arguments that a person gave to an agent, and taking some out to merge them with ours. */

/** The arguments before `--`, where options stand; what follows is text. */
export function optionsOf(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

/** Is one of these options given, with a value or without? */
export const hasOption = (args: readonly string[], ...names: string[]): boolean =>
  optionsOf(args).some((arg) => names.some((name) => arg === name || arg.startsWith(`${name}=`)));

/** The value of the last of these options, `--name value` or `--name=value`. */
export const optionValue = (args: readonly string[], ...names: string[]): string | undefined =>
  takeOption(args, ...names).values.at(-1);

/** The values of these options, and the arguments without them. */
export function takeOption(
  args: readonly string[],
  ...names: string[]
): { values: string[]; rest: string[] } {
  const { length } = optionsOf(args);
  const values: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const name = i < length ? names.find((one) => arg === one || arg.startsWith(`${one}=`)) : undefined;
    if (name === undefined) rest.push(arg);
    else if (arg !== name) values.push(arg.slice(name.length + 1));
    else if (i + 1 < args.length) values.push(args[++i] as string);
    else rest.push(arg);
  }
  return { values, rest };
}
