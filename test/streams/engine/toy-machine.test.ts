import fc from 'fast-check'
import { stateMachineSuite, type Story } from '../../kit/state-machine-suite.ts'
import { toyMachine } from './toy.ts'

const moment = fc.record({ wait: fc.integer({ min: -2, max: 6 }), key: fc.constantFrom('a', 'b', 'c', null), value: fc.nat(9).map(String) })

const stories: fc.Arbitrary<Story<string>> = fc.array(moment, { minLength: 1, maxLength: 40 }).map(moments => {
  let arrival = 1_000
  return moments.map(({ wait, key, value }) => ({ arrival: arrival += wait * 5, key, value }))
})

stateMachineSuite({ name: 'toy', machine: () => toyMachine, stories, runs: 150 })
