/** What must not be in an answer, and how it is recognised. */
const LEAKS: Readonly<Record<string, RegExp>> = {
  'a stack frame': /\bat (?:async )?[\w$.<>[\] ]*\(?(?:file:\/\/|node:|\/)[^\s"]*:\d+:\d+/,
  'a place in the code': /[\w-]\.(?:ts|js|mjs|cjs):\d+/,
  'a path of this machine':
    /(?<![\w:./])\/(?:home|root|work|usr|var|tmp|opt|etc|app|Users|private)\/[\w.-]+|file:\/\/|[A-Z]:\\\\/,
  'a package': /node_modules|\bprisma\b|\bpothos\b|\bbullmq\b|\bioredis\b|node-postgres|graphql-yoga/i,
  SQL: /\b(?:SELECT\b[^]*\bFROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET|CREATE (?:TABLE|INDEX|FUNCTION)|ALTER TABLE)\b/,
  'words of PostgreSQL':
    /violates \w[\w -]* constraint|relation "|column "[^"]*" (?:of|does)|duplicate key value|syntax error at or near|out of range for type|invalid (?:byte sequence|input syntax)|deadlock detected|canceling statement|current transaction is aborted|unsupported Unicode escape|untranslatable character|PL\/pgSQL/,
  'a code of PostgreSQL or Prisma':
    /\bSQLSTATE\b|"(?:22|23|25|40|42|53|55|57|58|XX|P0)[0-9A-Z]{3}"|\bP[1-3]\d{3}\b/,
  'an error of the system': /\b(?:ECONN\w+|ENOENT|EACCES|ENOSPC|EPERM|EPIPE|EEXIST|EISDIR|ENOTDIR)\b/,
  'a class of ours or of a library':
    /\b(?:TypeError|RangeError|ReferenceError|SyntaxError|AggregateError|ZodError|GraphQLError|DatabaseError|UserFacingError|JobFailure|DriverAdapterError|PrismaClient\w*)\b/,
  'words of the engine':
    /Cannot (?:read|set) propert|is not a function|is not iterable|\bundefined is not|Maximum call stack|\w is not defined\b/,
  'an address with its protocol': /\b(?:postgres(?:ql)?|rediss?|amqp|mongodb):\/\//,
};

/** What an answer tells of the inside of this server: [] is what each must give. */
export function leaksOf(body: string): string[] {
  return Object.entries(LEAKS).flatMap(([name, pattern]) => {
    const found = pattern.exec(body);
    return found ? [`${name}: ${body.slice(Math.max(0, found.index - 40), found.index + 120)}`] : [];
  });
}
