package bench

import (
	"math"
	"math/rand/v2"

	"github.com/convostore/convostore/internal/vector"
)

// vectorSize is that of a database migrated with no options.
const vectorSize = 1536

// Clusters of embeddings lie near a space of few dimensions: texts of one topic differ in
// few ways. The rest is noise.
const (
	clusterCount = 200
	clusterRank  = 24
	// clusterSpread and clusterNoise are lengths beside a centre's of 1.
	clusterSpread = 1.0
	clusterNoise  = 0.5
)

// clusters makes vectors that lie in Gaussian clusters.
type clusters struct{ centres, axes [][]float32 }

func newClusters() *clusters {
	c := new(clusters)
	rng := rand.New(rand.NewPCG(1536, 24))
	for range clusterCount {
		c.centres = append(c.centres, gaussian(rng, 1))
		for range clusterRank {
			c.axes = append(c.axes, gaussian(rng, clusterSpread/math.Sqrt(clusterRank)))
		}
	}
	return c
}

// vector is the i-th: the same one whenever it is asked for.
func (c *clusters) vector(i int) []float32 {
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	k := rng.IntN(clusterCount)
	v := gaussian(rng, clusterNoise)
	for d, x := range c.centres[k] {
		v[d] += x
	}
	for _, axis := range c.axes[k*clusterRank:][:clusterRank] {
		z := float32(rng.NormFloat64())
		for d, x := range axis {
			v[d] += z * x
		}
	}
	return unit(v)
}

// isotropic vectors have no structure at all, which is the worst for any index.
func isotropic(i int) []float32 {
	return unit(gaussian(rand.New(rand.NewPCG(11, uint64(i))), 1))
}

// gaussian points anywhere, with about the length given.
func gaussian(rng *rand.Rand, length float64) []float32 {
	v := make([]float32, vectorSize)
	scale := length / math.Sqrt(vectorSize)
	for d := range v {
		v[d] = float32(rng.NormFloat64() * scale)
	}
	return v
}

func unit(v []float32) []float32 {
	scale := float32(1 / math.Sqrt(float64(vector.Dot(v, v))))
	for d := range v {
		v[d] *= scale
	}
	return v
}
