import type { CodegenConfig } from '@graphql-codegen/cli';

/** The SDK's types, from schema.graphql and the operations in src/sdk/operations: `npm run generate` runs it. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'src/sdk/operations/*.graphql',
  generates: {
    'src/sdk/generated/graphql.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        documentMode: 'string',
        enumType: 'string-literal',
        strictScalars: true,
        useTypeImports: true,
        immutableTypes: true,
        avoidOptionals: false,
        scalars: {
          ID: 'string',
          DateTime: 'string',
          Date: 'string',
          Decimal: 'string',
          SafeInt: 'number',
          JSON: 'unknown',
        },
      },
    },
  },
};

export default config;
