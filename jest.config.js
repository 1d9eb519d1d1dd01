/** Jest runs TypeScript as Node does: natively, as ES modules, without a transformer. Start it through `make test`. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.toolchain/', '<rootDir>/data/', '<rootDir>/examples/'],
  testTimeout: 30_000,
};
