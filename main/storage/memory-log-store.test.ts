/** The fake keeps the contract. */
import { memoryFolder, openMemoryLogStore } from './memory-log-store.ts';
import { testStore } from './store.acceptance.ts';

testStore(() => {
  const folder = memoryFolder();
  return (handlers, tail) => Promise.resolve(openMemoryLogStore(folder, tail, handlers));
});
