// What is published: small, for mini programs and for everything else, and nothing that is not there on a phone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';

const root = new URL('../', import.meta.url);
const packed = new URL('miniprogram_dist/', root);
const files = readdirSync(packed).filter((name) => name.endsWith('.js'));
const source = (name) => readFileSync(new URL(name, packed), 'utf8');

/** What `entry` loads, itself among it. */
function loaded(entry, all = new Set()) {
  if (!all.has(entry)) {
    all.add(entry);
    for (const [, wanted] of source(entry).matchAll(/require\("\.\/([^"]+)"\)/g)) loaded(wanted, all);
  }
  return [...all];
}

test('a mini program grows by less than 6 kB', () => {
  const bytes = loaded('index.js').map((name) => [name, gzipSync(source(name)).length]);
  const sum = bytes.reduce((all, [, each]) => all + each, 0);
  assert.ok(sum < 6_000, `${sum} bytes compressed: ${bytes.join(' ')}`);
});

test('what only a developer needs is not loaded by anything else', () => {
  assert.deepEqual(files.filter((name) => !loaded('index.js').includes(name)), ['simulator.js']);
});

test('nothing depends on anything', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(new URL('package.json', root)));
  assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  for (const name of files) {
    for (const [, wanted] of source(name).matchAll(/require\("([^"]+)"\)/g)) {
      assert.ok(files.includes(wanted.replace('./', '')), `${name} requires ${wanted}`);
    }
  }
});

test('old phones can read it: nothing newer than ES2015', () => {
  for (const name of files) {
    const tree = ts.createSourceFile(name, source(name), ts.ScriptTarget.Latest, true);
    const look = (node) => {
      const newer = [ts.SyntaxKind.AsyncKeyword, ts.SyntaxKind.AwaitExpression, ts.SyntaxKind.QuestionDotToken, ts.SyntaxKind.QuestionQuestionToken,
        ts.SyntaxKind.AsteriskAsteriskToken, ts.SyntaxKind.SpreadAssignment, ts.SyntaxKind.PropertyDeclaration, ts.SyntaxKind.PrivateIdentifier];
      assert.ok(!newer.includes(node.kind), `${name}: ${node.getText(tree)}`);
      // A rest in an object pattern, and a catch without a name.
      assert.ok(!(ts.isBindingElement(node) && node.dotDotDotToken && ts.isObjectBindingPattern(node.parent)), name);
      assert.ok(!(ts.isCatchClause(node) && !node.variableDeclaration), name);
      ts.forEachChild(node, look);
    };
    look(tree);
  }
});

test('the package has what its manifest promises, and no more', () => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', root)));
  const [{ files: list }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: fileURLToPath(root), encoding: 'utf8' }));
  const names = list.map(({ path }) => path);
  const promised = [manifest.main, manifest.module, manifest.types, ...Object.values(manifest.exports).flatMap((way) => Object.values(way))];
  for (const path of promised) assert.ok(names.includes(path.replace('./', '')), path);
  for (const path of ['README.md', 'LICENSE-MIT', 'miniprogram_dist/index.js']) assert.ok(names.includes(path), path);
  assert.deepEqual(names.filter((name) => /^(src|test)\/|build|tsconfig/.test(name)), []);
});

test('Node and bundlers find it either way', async () => {
  const require = createRequire(import.meta.url);
  for (const entry of ['suanpan-mp', 'suanpan-mp/simulator']) {
    assert.deepEqual(Object.keys(require(entry)).sort(), Object.keys(await import(entry)).sort());
  }
});
