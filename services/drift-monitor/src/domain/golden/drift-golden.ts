/**
 * Values of known tools on closed-form inputs: evidently 0.7.21, scipy 1.17.1, NannyML 0.13.1, numpy 2.4.6. A value holds when |got - value| <= relativeTolerance * |value|.
 * `numeric`: r[i] = 10 sin(1.3 i) + 0.05 i for i = 0..199 against c[i] = 10 sin(1.7 i) + 0.05 i + 2.5 for i = 0..149.
 * `large`: r[i] = 3 sin(0.37 i) + 0.1 (i mod 97) for i = 0..19999 against c[i] = 3 sin(0.41 i) + 0.11 (i mod 97) for i = 0..4999.
 */
export const golden = {
  numeric: {
    sturgesReference: [14, 20, 24, 25, 20, 19, 25, 24, 17, 12],
    sturgesCurrent: [4, 13, 18, 21, 14, 15, 15, 22, 17, 11],
    jensenShannon: {
      value: 0.09103184354188189,
      relativeTolerance: 1e-9,
    },
    decilePsi: {
      value: 0.08095362805129261,
      relativeTolerance: 1e-9,
    },
    std: {
      value: 7.615395304203973,
      relativeTolerance: 1e-9,
    },
    wasserstein: {
      value: 1.2820950313252069,
      relativeTolerance: 1e-9,
    },
    normalisedWasserstein: {
      value: 0.16835567690326517,
      relativeTolerance: 1e-9,
    },
    gap: {
      value: 0.085,
      relativeTolerance: 1e-9,
    },
    exactTail: {
      value: 0.5410294238659079,
      relativeTolerance: 1e-6,
    },
    stephensTail: {
      value: 0.5471439145007769,
      relativeTolerance: 1e-9,
    },
  },
  large: {
    normalisedWasserstein: {
      value: 0.13055071884063088,
      relativeTolerance: 1e-9,
    },
    gap: {
      value: 0.06185000000000007,
      relativeTolerance: 1e-9,
    },
    stephensTail: {
      value: 9.097778344638172e-14,
      relativeTolerance: 1e-6,
    },
  },
  unseenCategory: {
    reference: [500, 300, 180, 20, 0],
    current: [220, 170, 90, 0, 20],
    psi: {
      value: 0.35717247903266774,
      relativeTolerance: 1e-9,
    },
    jensenShannon: {
      value: 0.14959251642472984,
      relativeTolerance: 1e-9,
    },
    statistic: {
      value: 54.20212765957446,
      relativeTolerance: 1e-9,
    },
    pValue: {
      value: 4.773976605380635e-11,
      relativeTolerance: 1e-6,
    },
    degrees: 4,
  },
  sameSupport: {
    reference: [16, 18, 16, 14, 12, 12],
    current: [16, 16, 16, 16, 16, 8],
    psi: {
      value: 0.037218381577290835,
      relativeTolerance: 1e-9,
    },
    jensenShannon: {
      value: 0.06804819617703867,
      relativeTolerance: 1e-9,
    },
    statistic: {
      value: 1.6224089635854342,
      relativeTolerance: 1e-9,
    },
    pValue: {
      value: 0.8985262394026607,
      relativeTolerance: 1e-8,
    },
    degrees: 5,
  },
  binary: {
    reference: [600, 400],
    current: [330, 270],
    psi: {
      value: 0.010239720632300647,
      relativeTolerance: 1e-9,
    },
    statistic: {
      value: 3.6490236987107467,
      relativeTolerance: 1e-9,
    },
    pValue: {
      value: 0.056102088673966446,
      relativeTolerance: 1e-8,
    },
    degrees: 1,
  },
  shares: {
    reference: [5, 3, 2],
    current: [4, 4, 2],
    jensenShannon: {
      value: 0.07979472622921702,
      relativeTolerance: 1e-9,
    },
    psi: {
      value: 0.05108256237659909,
      relativeTolerance: 1e-9,
    },
  },
  multipleTesting: {
    pValues: [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216],
    adjusted: [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.1057142857142857, 0.216, 0.216, 0.216],
  },
  nullLaw: {
    bins: 10,
    referenceRows: 5000,
    currentRows: [100, 200, 500, 1000, 5000],
    limits: [0.17257357156712858, 0.08797868354402633, 0.03722175073016499, 0.02030277312554454, 0.006767591041848179],
    chiSquare95: {
      value: 16.918977604620448,
      relativeTolerance: 1e-9,
    },
  },
}
