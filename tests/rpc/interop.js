// SPDX-License-Identifier: Apache-2.0
//
// examples/grpc_service from @grpc/grpc-js, with the messages of bank.proto.
//
// usage: node interop.js ADDRESS BANK_PROTO
// Exit code 77: @grpc/grpc-js or @grpc/proto-loader is not installed.

'use strict';

const assert = require('assert');

let grpc;
let loader;
try {
  grpc = require('@grpc/grpc-js');
  loader = require('@grpc/proto-loader');
} catch (missing) {
  console.log(missing.message.split('\n')[0]);
  process.exit(77);
}

const [address, proto] = process.argv.slice(2);
const {bank} = grpc.loadPackageDefinition(
    loader.loadSync(proto, {longs: Number, defaults: true}));
const client =
    new bank.v1.Bank(address, grpc.credentials.createInsecure());

const unary = (method, request, options = {}) =>
    new Promise((resolve, reject) => {
      client[method](request, options, (error, reply) => {
        if (error) reject(error);
        else resolve(reply);
      });
    });

const list = (request) => new Promise((resolve, reject) => {
  const entries = [];
  client.ListEntries(request)
      .on('data', (entry) => entries.push(entry))
      .on('error', reject)
      .on('end', () => resolve(entries));
});

const main = async () => {
  const before = (await unary('GetBalance', {})).cents;
  assert.equal((await unary('Deposit', {cents: 5, note: 'é'})).cents,
               before + 5);
  await assert.rejects(unary('Deposit', {cents: -1}), (error) => {
    assert.equal(error.code, grpc.status.INVALID_ARGUMENT);
    assert.equal(error.details, 'cents: a deposit is above 0');
    return true;
  });
  await assert.rejects(unary('GetBalance', {}, {deadline: 1}), (error) => {
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
    return true;
  });
  const sum = await new Promise((resolve, reject) => {
    const call = client.Import((error, reply) => {
      if (error) reject(error);
      else resolve(reply.cents);
    });
    for (let i = 0; i < 100; ++i) call.write({cents: 2, note: 'js'});
    call.end();
  });
  assert.equal(sum, before + 205);
  const entries = await list({});
  assert.equal(entries.filter((entry) => entry.note === 'js').length, 100);
  assert.equal(entries.filter((entry) => entry.note === 'é').length, 1);
  client.close();
  console.log('@grpc/grpc-js', require('@grpc/grpc-js/package.json').version);
};

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
