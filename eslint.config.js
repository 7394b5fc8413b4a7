import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores([
    'node_modules',
    'dist',
    '.data',
    '.cache',
    'coverage',
    'src/generated',
    'src/sdk/generated',
  ]),
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // `== null` alone says "null or undefined".
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': ['error', { allow: ['error'] }],
      // Files and names from outside hold control characters, and finding them is what such patterns are for.
      'no-control-regex': 'off',
    },
  },
  { files: ['**/*.{js,mjs}'], languageOptions: { globals: globals.node } },
  { files: ['src/http/assets/**'], languageOptions: { globals: globals.browser } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // The compiler does this with types.
      'no-undef': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A closed union that grows must show every place that decides by it.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      // Numbers and booleans read well in a message; objects and undefined are what the rule is for.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // A parameter that a port's type names and an adapter does not need; what destructuring takes out.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],

      // Off, and why:
      // Ports are records of closures written in method syntax: their members may be passed on, nothing uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      // It takes a flag that a callback or another tick sets for a constant, after every await and in every loop.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // An adapter that has nothing to wait for still has the port's type.
      '@typescript-eslint/require-await': 'off',
      // `() => sink.push(x)` and `return done()` in a function that returns nothing are no confusion.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // `Foo<unknown>` says more than `Foo`.
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // `expect.any(String)` is typed any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      // Tests reject with what careless code would reject with.
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
  {
    // Programs that speak to a person on stdout, and the log of a test run.
    files: [
      'src/{dev,demo}.ts',
      'src/{dev,demo,cli}/**',
      'src/graphql/print-schema.ts',
      'prisma/*.ts',
      'bench/**',
      'scripts/**',
      'test/support/**',
    ],
    rules: { 'no-console': 'off' },
  },
);
